"""Following the log: an endless iterator that asks for more when it has run out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

from eventsourcing.persistence import ApplicationRecorder, Notification, Subscription

POLL_S = 0.05
PAGE = 500


class PollingSubscription(Subscription[ApplicationRecorder]):
    """Entries after a position, as they are appended by any process. Gapless order makes polling exact."""

    def __init__(self, recorder: ApplicationRecorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._page: deque[Notification] = deque()

    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            if self._page:
                found = self._page.popleft()
                self._last_notification_id = found.id
                return found
            self._page.extend(
                self._recorder.select_notifications(
                    self._last_notification_id, PAGE, topics=self._topics, inclusive_of_start=False
                )
            )
            if not self._page:
                time.sleep(POLL_S)
        raise StopIteration
