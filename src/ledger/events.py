"""Every event, one frozen struct each. **This is the storage format** (EVENTS.md).

The class variable `TYPE` and the field names are what the log's entries hold: renaming a field, changing what it
means or making it required changes the format and needs an upcaster (`ledger.upcasters`). Fields stand in
alphabetical order, so that encoding a struct gives canonical JSON without sorting. Optional fields default to
`None` and are left out of the stored bytes.

Types are marked with the rule they must satisfy (`ledger.checks`); decoding stored bytes does not check them again.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Annotated, Any, ClassVar, Literal

import msgspec


class Rule(Enum):
    """What a plain string or integer must look like; `ledger.checks` holds the tests."""

    ID = auto()
    CODE = auto()
    DATE = auto()
    DECIMAL = auto()
    QUANTITY = auto()
    NAME = auto()
    CURRENCY = auto()
    BASIS_POINTS = auto()
    TIME_ZONE = auto()
    LOCALE = auto()
    MONTH = auto()
    DAYS = auto()
    VERSION = auto()
    COUNT = auto()
    MINUTES = auto()
    SCORE = auto()
    METRIC = auto()
    DUE = auto()
    PERSONAL = auto()
    FREE_TEXT = auto()


class Commitment(msgspec.Struct, frozen=True, gc=False):
    """`c` is base64 of SHA-256(0x02 ‖ salt ‖ canonical JSON of the value), `s` the random ref of its subject."""

    c: str
    s: str


class Sealed(msgspec.Struct, frozen=True, gc=False, rename={"commitment": "$sealed"}):
    """Stands in an entry for a value that lies in the vault (TRUST 2)."""

    commitment: Commitment


class Erased(msgspec.Struct, frozen=True, rename={"commitment": "$erased"}):
    """What is read for a sealed value whose subject has been erased. It stands in no entry."""

    commitment: Commitment


Id = Annotated[str, Rule.ID]
Code = Annotated[str, Rule.CODE]
Date = Annotated[str, Rule.DATE]
Decimal = Annotated[str, Rule.DECIMAL]
Quantity = Annotated[str, Rule.QUANTITY]
Name = Annotated[str, Rule.NAME]
Currency = Annotated[str, Rule.CURRENCY]
BasisPoints = Annotated[int, Rule.BASIS_POINTS]
Personal = Annotated[str | Sealed, Rule.PERSONAL]
FreeText = Annotated[str | Sealed, Rule.FREE_TEXT]
Count = Annotated[int, Rule.COUNT]
Due = Annotated[str, Rule.DUE]
Category = Literal["omitted", "pipeline", "best_case", "most_likely", "commit"]
Attributes = dict[str, str | int | bool]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A value inside an event. Never part of a cycle, so the garbage collector need not look at it."""


class Money(Part, frozen=True, kw_only=True):
    """An amount in minor units of its currency (ISO 4217)."""

    currency: Currency
    minor: int


class Line(Part, frozen=True, kw_only=True):
    """One product of a deal or quote; `product` is null for what no product line explains."""

    margin: Money | None = None
    product: Id | None
    quantity: Quantity
    value: Money


class Stage(Part, frozen=True, kw_only=True):
    """One stage of a pipeline, with the probability of winning from it, in basis points."""

    category: Category
    name: Name
    probability_bp: BasisPoints
    stage: Id


class Scope(Part, frozen=True, kw_only=True):
    """Whose objective or forecast it is: exactly one of the company, a team, a person."""

    company: Literal[True] | None = None
    person: Id | None = None
    team: Id | None = None


class Period(Part, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """From the first day to the last, both included."""

    first: Date
    last: Date


class Satisfaction(Part, frozen=True, kw_only=True):
    """An answer in a survey: NPS from 0 to 10, CSAT from 1 to 5, CES from 1 to 7; more is better."""

    scale: Literal["nps", "csat", "ces"]
    score: Annotated[int, Rule.SCORE]


class Event(Part, frozen=True, kw_only=True):
    """The data of an event: what happened, without when and where."""

    TYPE: ClassVar[str]


# Any stream -------------------------------------------------------------------------------------------------------


class EventRetracted(Event, frozen=True, kw_only=True):
    """Event number `version` of this stream never happened."""

    TYPE = "event.retracted"
    note: FreeText | None = None
    reason: Code
    version: Annotated[int, Rule.VERSION]


class EventCorrected(Event, frozen=True, kw_only=True):
    """Event number `version` of this stream happened at another time, or otherwise (`data` is whole, not a patch)."""

    TYPE = "event.corrected"
    data: dict[str, Any] | None = None
    effective_at: Due | None = None
    note: FreeText | None = None
    reason: Code
    version: Annotated[int, Rule.VERSION]


# book -------------------------------------------------------------------------------------------------------------


class BookOpened(Event, frozen=True, kw_only=True):
    """The book begins; its time zone is settled for good."""

    TYPE = "book.opened"
    attributes: Attributes | None = None
    currency: Currency
    dashboard: dict[str, list[str]] | None = None
    fiscal_year_start_month: Annotated[int, Rule.MONTH]
    lapse_after_days: Annotated[int, Rule.DAYS] | None = None
    locale: Annotated[str, Rule.LOCALE]
    name: Name
    score_weights: dict[str, int] | None = None
    stalled_after_days: Annotated[int, Rule.DAYS] | None = None
    thresholds: dict[str, int | str] | None = None
    time_zone: Annotated[str, Rule.TIME_ZONE]


class BookSettingsChanged(Event, frozen=True, kw_only=True):
    """Settings named here change; the others stay."""

    TYPE = "book.settings_changed"
    currency: Currency | None = None
    dashboard: dict[str, list[str]] | None = None
    fiscal_year_start_month: Annotated[int, Rule.MONTH] | None = None
    lapse_after_days: Annotated[int, Rule.DAYS] | None = None
    locale: Annotated[str, Rule.LOCALE] | None = None
    name: Name | None = None
    score_weights: dict[str, int] | None = None
    stalled_after_days: Annotated[int, Rule.DAYS] | None = None
    thresholds: dict[str, int | str] | None = None


class BookHistoryClosed(Event, frozen=True, kw_only=True):
    """From here on nobody may claim a `recorded_at` of their own."""

    TYPE = "book.history_closed"


# pipeline ---------------------------------------------------------------------------------------------------------


class PipelineDefined(Event, frozen=True, kw_only=True):
    """A path that deals follow, its stages in order."""

    TYPE = "pipeline.defined"
    attributes: Attributes | None = None
    name: Name
    stages: list[Stage]


class PipelineRedefined(Event, frozen=True, kw_only=True):
    """The stages from now on; the past keeps its own."""

    TYPE = "pipeline.redefined"
    stages: list[Stage]


# organisation -----------------------------------------------------------------------------------------------------


class TeamCreated(Event, frozen=True, kw_only=True):
    """A team, under a parent team or at the top."""

    TYPE = "team.created"
    attributes: Attributes | None = None
    name: Name
    parent: Id | None = None


class TeamMoved(Event, frozen=True, kw_only=True):
    """The team has another parent; null puts it at the top."""

    TYPE = "team.moved"
    parent: Id | None


class TeamRenamed(Event, frozen=True, kw_only=True):
    """The team has another name."""

    TYPE = "team.renamed"
    name: Name


class TeamClosed(Event, frozen=True, kw_only=True):
    """The team is no more."""

    TYPE = "team.closed"


Role = Literal["rep", "manager", "director", "support"]


class PersonJoined(Event, frozen=True, kw_only=True):
    """Somebody starts in a team."""

    TYPE = "person.joined"
    attributes: Attributes | None = None
    email: Personal | None = None
    name: Personal
    role: Role
    team: Id


class PersonMoved(Event, frozen=True, kw_only=True):
    """Somebody goes to another team."""

    TYPE = "person.moved"
    team: Id


class PersonRoleChanged(Event, frozen=True, kw_only=True):
    """Somebody has another role."""

    TYPE = "person.role_changed"
    role: Role


class PersonLeft(Event, frozen=True, kw_only=True):
    """Somebody leaves the organisation."""

    TYPE = "person.left"


# product ----------------------------------------------------------------------------------------------------------


class ProductListed(Event, frozen=True, kw_only=True):
    """A product that can be sold."""

    TYPE = "product.listed"
    attributes: Attributes | None = None
    name: Name
    range: Id | None = None
    unit_cost: Money | None = None
    unit_price: Money | None = None


class ProductChanged(Event, frozen=True, kw_only=True):
    """What is named here changes; the rest stays."""

    TYPE = "product.changed"
    name: Name | None = None
    range: Id | None = None
    unit_cost: Money | None = None
    unit_price: Money | None = None


class ProductRetired(Event, frozen=True, kw_only=True):
    """No longer sold."""

    TYPE = "product.retired"


# rates ------------------------------------------------------------------------------------------------------------


class RateFixed(Event, frozen=True, kw_only=True):
    """One unit of the stream's currency is worth `rate` units of `base`, from `effective_at` on."""

    TYPE = "rate.fixed"
    base: Currency
    rate: Decimal


# customer ---------------------------------------------------------------------------------------------------------

CustomerKind = Literal["lead", "prospect", "customer"]


class CustomerRegistered(Event, frozen=True, kw_only=True):
    """A company or, with `person`, a person whose name is personal data."""

    TYPE = "customer.registered"
    attributes: Attributes | None = None
    campaign: Id | None = None
    channel: Id | None = None
    country: Id | None = None
    industry: Id | None = None
    kind: CustomerKind
    name: Personal
    owner: Id | None = None
    parent: Id | None = None
    person: Literal[True] | None = None
    region: Id | None = None
    segment: Id | None = None


class CustomerQualified(Event, frozen=True, kw_only=True):
    """Lead, prospect or customer; kinds go forward or back freely."""

    TYPE = "customer.qualified"
    kind: CustomerKind


class CustomerReclassified(Event, frozen=True, kw_only=True):
    """What is named here changes; the rest stays."""

    TYPE = "customer.reclassified"
    attributes: Attributes | None = None
    campaign: Id | None = None
    channel: Id | None = None
    country: Id | None = None
    industry: Id | None = None
    parent: Id | None = None
    region: Id | None = None
    segment: Id | None = None


class CustomerAssigned(Event, frozen=True, kw_only=True):
    """Somebody else looks after the customer."""

    TYPE = "customer.assigned"
    owner: Id


class CustomerRenamed(Event, frozen=True, kw_only=True):
    """Another name; sealed when the customer is a person."""

    TYPE = "customer.renamed"
    name: Personal


class ContactAdded(Event, frozen=True, kw_only=True):
    """A person at the customer's."""

    TYPE = "contact.added"
    contact: Id
    email: Personal | None = None
    name: Personal
    phone: Personal | None = None
    role: Code | None = None


class ContactChanged(Event, frozen=True, kw_only=True):
    """What is named here changes; the rest stays."""

    TYPE = "contact.changed"
    contact: Id
    email: Personal | None = None
    name: Personal | None = None
    phone: Personal | None = None
    role: Code | None = None


class ContactRemoved(Event, frozen=True, kw_only=True):
    """The person is no longer there."""

    TYPE = "contact.removed"
    contact: Id


class CustomerChurned(Event, frozen=True, kw_only=True):
    """Declared lost."""

    TYPE = "customer.churned"
    reason: Code


class CustomerReactivated(Event, frozen=True, kw_only=True):
    """Declared back."""

    TYPE = "customer.reactivated"


class CustomerMerged(Event, frozen=True, kw_only=True):
    """This was a duplicate of `into`."""

    TYPE = "customer.merged"
    into: Id


# deal -------------------------------------------------------------------------------------------------------------


class DealOpened(Event, frozen=True, kw_only=True):
    """An opportunity enters a pipeline."""

    TYPE = "deal.opened"
    attributes: Attributes | None = None
    campaign: Id | None = None
    channel: Id | None = None
    country: Id | None = None
    customer: Id | None = None
    expected_close_on: Date | None = None
    kind: Id | None = None
    lines: list[Line] | None = None
    margin: Money | None = None
    owner: Id
    pipeline: Id
    quantity: Quantity | None = None
    region: Id | None = None
    stage: Id
    title: FreeText
    value: Money | None = None


class DealStageChanged(Event, frozen=True, kw_only=True):
    """The deal stands at another stage of its pipeline."""

    TYPE = "deal.stage_changed"
    stage: Id


class DealRevalued(Event, frozen=True, kw_only=True):
    """What is named here changes; a new value without lines drops the lines."""

    TYPE = "deal.revalued"
    lines: list[Line] | None = None
    margin: Money | None = None
    quantity: Quantity | None = None
    value: Money | None = None


class DealCloseDateChanged(Event, frozen=True, kw_only=True):
    """When it is expected to close; the past is allowed, it is what people write."""

    TYPE = "deal.close_date_changed"
    expected_close_on: Date


class DealAssigned(Event, frozen=True, kw_only=True):
    """Another owner."""

    TYPE = "deal.assigned"
    owner: Id


class DealProbabilitySet(Event, frozen=True, kw_only=True):
    """The deal's own probability; null gives it its stage's back."""

    TYPE = "deal.probability_set"
    probability_bp: BasisPoints | None


class DealCategorySet(Event, frozen=True, kw_only=True):
    """The deal's own forecast category; null gives it its stage's back."""

    TYPE = "deal.category_set"
    category: Category | None


class DealReclassified(Event, frozen=True, kw_only=True):
    """What is named here changes; the rest stays."""

    TYPE = "deal.reclassified"
    attributes: Attributes | None = None
    campaign: Id | None = None
    channel: Id | None = None
    country: Id | None = None
    customer: Id | None = None
    kind: Id | None = None
    region: Id | None = None


class DealRetitled(Event, frozen=True, kw_only=True):
    """Another title."""

    TYPE = "deal.retitled"
    title: FreeText


class DealWon(Event, frozen=True, kw_only=True):
    """Sold; what is named here replaces the deal's value, margin, quantity and lines."""

    TYPE = "deal.won"
    lines: list[Line] | None = None
    margin: Money | None = None
    order: Id | None = None
    quantity: Quantity | None = None
    value: Money | None = None


class DealLost(Event, frozen=True, kw_only=True):
    """Somebody else got it, or nobody did."""

    TYPE = "deal.lost"
    competitor: Id | None = None
    note: FreeText | None = None
    reason: Code


class DealAbandoned(Event, frozen=True, kw_only=True):
    """Given up by us."""

    TYPE = "deal.abandoned"
    note: FreeText | None = None
    reason: Code


class DealReopened(Event, frozen=True, kw_only=True):
    """Open again, at a stage."""

    TYPE = "deal.reopened"
    reason: Code
    stage: Id


class DealMerged(Event, frozen=True, kw_only=True):
    """This was a duplicate of `into`; nothing is added to the survivor."""

    TYPE = "deal.merged"
    into: Id


class DealInvoiced(Event, frozen=True, kw_only=True):
    """An invoice was sent."""

    TYPE = "deal.invoiced"
    invoice: Id
    margin: Money | None = None
    value: Money


class DealDelivered(Event, frozen=True, kw_only=True):
    """Goods or services were delivered."""

    TYPE = "deal.delivered"
    quantity: Quantity | None = None
    value: Money | None = None


class DealCredited(Event, frozen=True, kw_only=True):
    """A credit note, written as a positive amount and counted as a negative one."""

    TYPE = "deal.credited"
    invoice: Id | None = None
    margin: Money | None = None
    reason: Code
    value: Money


# quote ------------------------------------------------------------------------------------------------------------


class QuoteIssued(Event, frozen=True, kw_only=True):
    """An offer was sent."""

    TYPE = "quote.issued"
    attributes: Attributes | None = None
    customer: Id
    deal: Id | None = None
    lines: list[Line] | None = None
    margin: Money | None = None
    number: Name
    owner: Id | None = None
    valid_until: Date | None = None
    value: Money


class QuoteRevised(Event, frozen=True, kw_only=True):
    """What is named here changes; a new value without lines drops the lines."""

    TYPE = "quote.revised"
    lines: list[Line] | None = None
    margin: Money | None = None
    valid_until: Date | None = None
    value: Money | None = None


class QuoteAccepted(Event, frozen=True, kw_only=True):
    """The customer said yes: with a deal the sale is the deal's win, without one the quote itself is the sale."""

    TYPE = "quote.accepted"


class QuoteDeclined(Event, frozen=True, kw_only=True):
    """The customer said no."""

    TYPE = "quote.declined"
    reason: Code | None = None


class QuoteExpired(Event, frozen=True, kw_only=True):
    """Nobody answered in time."""

    TYPE = "quote.expired"


class QuoteWithdrawn(Event, frozen=True, kw_only=True):
    """We took it back."""

    TYPE = "quote.withdrawn"
    reason: Code | None = None


# interaction ------------------------------------------------------------------------------------------------------

InteractionKind = Literal[
    "call",
    "email",
    "visit",
    "meeting",
    "prospecting_meeting",
    "demo",
    "proposal",
    "document",
    "support_request",
    "maintenance",
    "complaint",
    "web_visit",
    "cart",
    "survey",
    "other",
]


class InteractionLogged(Event, frozen=True, kw_only=True):
    """Something passed between us and a customer."""

    TYPE = "interaction.logged"
    attributes: Attributes | None = None
    campaign: Id | None = None
    contact: Id | None = None
    customer: Id
    deal: Id | None = None
    direction: Literal["in", "out"]
    duration_minutes: Annotated[int, Rule.MINUTES] | None = None
    kind: InteractionKind
    notes: FreeText | None = None
    outcome: Literal["reached", "not_reached", "positive", "negative", "neutral"] | None = None
    owner: Id | None = None
    satisfaction: Satisfaction | None = None


class InteractionResolved(Event, frozen=True, kw_only=True):
    """A support request or complaint is settled."""

    TYPE = "interaction.resolved"


class InteractionConverted(Event, frozen=True, kw_only=True):
    """A cart or visit became an order, which is the deal."""

    TYPE = "interaction.converted"
    deal: Id


# task -------------------------------------------------------------------------------------------------------------


class TaskPlanned(Event, frozen=True, kw_only=True):
    """Somebody is to do something by `due_at`: an instant; a date is stored as the last instant of that day."""

    TYPE = "task.planned"
    attributes: Attributes | None = None
    contact: Id | None = None
    customer: Id | None = None
    deal: Id | None = None
    due_at: Due
    kind: Id
    owner: Id
    subject: FreeText | None = None


class TaskRescheduled(Event, frozen=True, kw_only=True):
    """Due at another time, read as when it was planned."""

    TYPE = "task.rescheduled"
    due_at: Due


class TaskAssigned(Event, frozen=True, kw_only=True):
    """Somebody else is to do it."""

    TYPE = "task.assigned"
    owner: Id


class TaskDone(Event, frozen=True, kw_only=True):
    """It is done."""

    TYPE = "task.done"


class TaskCancelled(Event, frozen=True, kw_only=True):
    """It need not be done any more."""

    TYPE = "task.cancelled"
    reason: Code | None = None


# objective --------------------------------------------------------------------------------------------------------

Target = Money | Quantity


class ObjectiveSet(Event, frozen=True, kw_only=True):
    """What is to be reached in a period: money for metrics of money, else a number."""

    TYPE = "objective.set"
    attributes: Attributes | None = None
    kind: Id | None = None
    metric: Annotated[str, Rule.METRIC]
    period: Period
    product_range: Id | None = None
    scope: Scope
    statement: FreeText | None = None
    target: Target


class ObjectiveRevised(Event, frozen=True, kw_only=True):
    """Another target."""

    TYPE = "objective.revised"
    target: Target


class ObjectiveCancelled(Event, frozen=True, kw_only=True):
    """No longer an objective."""

    TYPE = "objective.cancelled"
    reason: Code


# call -------------------------------------------------------------------------------------------------------------


class ForecastSubmitted(Event, frozen=True, kw_only=True):
    """What somebody forecasts for a period; the latest in effect counts."""

    TYPE = "forecast.submitted"
    attributes: Attributes | None = None
    category: Literal["commit", "best_case"]
    note: FreeText | None = None
    period: Period
    scope: Scope
    value: Money


class ForecastWithdrawn(Event, frozen=True, kw_only=True):
    """They no longer forecast anything."""

    TYPE = "forecast.withdrawn"


# campaign ---------------------------------------------------------------------------------------------------------


class CampaignLaunched(Event, frozen=True, kw_only=True):
    """A campaign begins on a channel."""

    TYPE = "campaign.launched"
    attributes: Attributes | None = None
    budget: Money | None = None
    channel: Id
    ends_on: Date | None = None
    name: Name
    starts_on: Date


class CampaignSpent(Event, frozen=True, kw_only=True):
    """Money went into the campaign; each time adds up."""

    TYPE = "campaign.spent"
    value: Money
    what: Code | None = None


class CampaignResponsesCounted(Event, frozen=True, kw_only=True):
    """Totals since the launch; those not named stay."""

    TYPE = "campaign.responses_counted"
    answered: Count | None = None
    called: Count | None = None
    clicked: Count | None = None
    delivered: Count | None = None
    opened: Count | None = None
    reached: Count | None = None
    sent: Count | None = None
    unsubscribed: Count | None = None


class CampaignClosed(Event, frozen=True, kw_only=True):
    """The campaign is over."""

    TYPE = "campaign.closed"


# channel ----------------------------------------------------------------------------------------------------------


class ChannelSpent(Event, frozen=True, kw_only=True):
    """Money went into the channel without a campaign; each time adds up."""

    TYPE = "channel.spent"
    value: Money
    what: Code | None = None


class ChannelCounted(Event, frozen=True, kw_only=True):
    """One day's anonymous counts; the latest for a day replaces the earlier ones."""

    TYPE = "channel.counted"
    carts: Count | None = None
    on: Date
    orders: Count | None = None
    visits: Count | None = None


# subject ----------------------------------------------------------------------------------------------------------


class SubjectErased(Event, frozen=True, kw_only=True):
    """What was sealed about the subject is gone for good. `sales-ledger erase` alone writes it; no line can say it."""

    TYPE = "subject.erased"


def _concrete(base: type[Event]) -> list[type[Event]]:
    return [kind for child in base.__subclasses__() for kind in (child, *_concrete(child))]


EVENTS: dict[str, type[Event]] = {event.TYPE: event for event in _concrete(Event)}
"""Every event type by its stored name."""

MODIFIERS = (EventRetracted, EventCorrected)
