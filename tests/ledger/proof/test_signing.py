"""The signer signs only what goes on from what it signed last, on either database, and keeps its key to itself."""

from __future__ import annotations

import multiprocessing
import shutil
import stat
from base64 import b64decode

import pytest
from sqlalchemy import text

from ledger.errors import DatabaseUnusable, NotFound, NotProven
from ledger.proof import tree
from ledger.proof.log_tree import LogTree
from ledger.proof.merkle import Frontier
from ledger.proof.notes import Signer, opened
from ledger.proof.signing import SigningDesk, desk_of, trust_directory
from ledger.settings import Settings
from tests.support.proving import entries_of, grow_to, recorder_of

ORIGIN = "ledger.example"


@pytest.fixture
def recorder(database_url):
    with recorder_of(database_url) as recorder:
        yield recorder


@pytest.fixture
def desk(tmp_path):
    return SigningDesk(tmp_path / "trust", ORIGIN, "main")


def sign(desk, recorder):
    note = desk.sign(recorder, LogTree(recorder))
    return note, opened(note, desk.verifier)


def run(recorder, statement, **values):
    with recorder.engine.begin() as connection:
        connection.execute(text(statement), values)


def rewrite(recorder, entries):
    """Make the log one of these entries, as somebody could who may write the database: head and kept nodes too."""
    frontier = Frontier()
    for entry in entries:
        frontier.append(entry)
    for position, entry in enumerate(entries, 1):
        run(recorder, "UPDATE events SET entry = :entry WHERE position = :position", entry=entry, position=position)
    run(recorder, "DELETE FROM events WHERE position > :size", size=len(entries))
    run(recorder, "DELETE FROM tree_nodes")
    run(
        recorder,
        "UPDATE heads SET position = :size, frontier = :frontier",
        size=len(entries),
        frontier=frontier.to_bytes(),
    )
    recorder._head = None


# What is signed -------------------------------------------------------------------------------------------------------


def test_each_checkpoint_is_of_the_log_as_it_is_and_goes_on_from_the_one_before(recorder, desk):
    before = None
    for size in (0, 1, 2, 255, 256, 300, 520):
        grow_to(recorder, size)
        _, checkpoint = sign(desk, recorder)
        assert checkpoint == (f"{ORIGIN}/main", size, recorder.head().frontier.root())
        if before is not None and before.size:
            proof = LogTree(recorder).consistency(before.size, size)
            tree.check_consistency(before.size, before.root, size, checkpoint.root, proof)
        before = checkpoint
    assert [opened(note, desk.verifier).size for note in desk.notes()] == [0, 1, 2, 255, 256, 300, 520]


def test_a_log_that_has_not_grown_has_the_same_note_again(recorder, desk):
    grow_to(recorder, 3)
    assert sign(desk, recorder) == sign(desk, recorder)
    assert len(desk.notes()) == 1


# What is not ----------------------------------------------------------------------------------------------------------


def refuses(desk, recorder, match):
    before = desk.notes()
    with pytest.raises(NotProven, match=match) as refused:
        desk.sign(recorder, LogTree(recorder))
    assert "nothing is signed" in str(refused.value)
    assert desk.notes() == before


def test_a_log_that_was_cut_is_not_signed(recorder, desk):
    grow_to(recorder, 300)
    sign(desk, recorder)
    rewrite(recorder, entries_of(recorder)[:280])
    refuses(desk, recorder, "300 entries were signed and the log has 280: it was cut or restored from a backup")


@pytest.mark.parametrize("grown", [200, 320])
def test_it_is_the_last_checkpoint_that_counts_not_an_earlier_one(recorder, desk, grown):
    """What was rewritten between two checkpoints still goes on from the first of them."""
    for size in (100, 300):
        grow_to(recorder, size)
        sign(desk, recorder)
    rewrite(recorder, entries_of(recorder)[:200])
    grow_to(recorder, grown)
    refuses(desk, recorder, "cut or restored" if grown < 300 else "not the one that was signed last")


def test_an_older_backup_is_not_signed_even_when_it_has_grown_past_the_checkpoint(recorder, desk):
    grow_to(recorder, 280)
    backup = entries_of(recorder)
    grow_to(recorder, 300)
    sign(desk, recorder)
    rewrite(recorder, backup)
    grow_to(recorder, 320)
    assert entries_of(recorder)[:280] == backup
    refuses(desk, recorder, "not the one that was signed last")


@pytest.mark.parametrize("size", [300, 305])
def test_a_log_with_a_rewritten_entry_is_not_signed(recorder, desk, size):
    """Neither of the same size, with another root, nor grown."""
    grow_to(recorder, 300)
    sign(desk, recorder)
    grow_to(recorder, size)
    entries = entries_of(recorder)
    rewrite(recorder, [*entries[:7], entries[7].replace(b"tests", b"other"), *entries[8:]])
    refuses(desk, recorder, "not the one that was signed last")


@pytest.mark.parametrize("rewritten", [1, 290, 300])
def test_entries_that_do_not_add_up_to_the_head_are_not_signed(recorder, desk, rewritten):
    grow_to(recorder, 300)
    run(recorder, "UPDATE events SET entry = :entry WHERE position = :position", entry=b"{}", position=rewritten)
    refuses(desk, recorder, "do not add up to the root that the log's head states")


def test_a_log_that_lacks_entries_is_not_signed(recorder, desk):
    grow_to(recorder, 30)
    run(recorder, "DELETE FROM events WHERE position = 30")
    with pytest.raises(NotProven, match="lacks entries"):
        desk.sign(recorder, LogTree(recorder))


def test_a_damaged_head_is_said_to_be_one(recorder, desk):
    grow_to(recorder, 30)
    run(recorder, "UPDATE heads SET position = 31")
    with pytest.raises(NotProven, match="the log's head was damaged"):
        desk.sign(recorder, LogTree(recorder))


# The key --------------------------------------------------------------------------------------------------------------


def test_nothing_has_a_key_before_it_is_first_signed(desk):
    with pytest.raises(NotFound, match="sales-ledger checkpoint"):
        _ = desk.verifier


def test_the_key_is_for_its_owner_only(recorder, desk, tmp_path):
    leftover = tmp_path / "trust" / "main"
    leftover.mkdir(parents=True)
    (leftover / "signing.new").write_text("")
    (leftover / "signing.new").chmod(0o644)
    sign(desk, recorder)
    key = leftover / "signing.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert sorted(each.name for each in leftover.iterdir()) == ["checkpoints", "lock", "signing.key"]
    assert Signer.parse(key.read_text()).verifier == desk.verifier


def test_the_folder_that_is_made_for_it_is_for_its_owner_only(recorder, desk, tmp_path):
    sign(desk, recorder)
    assert stat.S_IMODE((tmp_path / "trust" / "main").stat().st_mode) == 0o700


def test_no_message_shows_the_key(recorder, desk, tmp_path):
    grow_to(recorder, 5)
    sign(desk, recorder)
    path = tmp_path / "trust" / "main" / "signing.key"
    line = path.read_text()
    secret = line.rstrip().split("+", 4)[4]
    said = []
    for damaged in (
        line[:-8],
        line.replace(secret, secret[::-1]),
        secret,
        "",
        line.replace(ORIGIN, "other.example"),
        line.replace("PRIVATE", "private"),
    ):
        path.write_text(damaged)
        with pytest.raises(NotProven) as refused:
            desk.sign(recorder, LogTree(recorder))
        said.append(str(refused.value))
    seed = b64decode(secret)[1:]
    for message in said:
        assert secret[:12] not in message
        assert secret[::-1][:12] not in message
        assert seed.hex()[:12] not in message


def test_a_key_that_is_gone_is_not_replaced_silently(recorder, desk, tmp_path):
    sign(desk, recorder)
    (tmp_path / "trust" / "main" / "signing.key").unlink()
    with pytest.raises(NotProven, match=r"their key .* is gone; put it back"):
        desk.sign(recorder, LogTree(recorder))
    assert not (tmp_path / "trust" / "main" / "signing.key").exists()


def test_another_origin_does_not_sign_with_this_key(recorder, desk, tmp_path):
    sign(desk, recorder)
    other = SigningDesk(tmp_path / "trust", "other.example", "main")
    with pytest.raises(NotProven, match=r"is that of ledger\.example/main, not of other\.example/main"):
        other.sign(recorder, LogTree(recorder))


def test_checkpoints_that_another_key_signed_stop_the_signer(recorder, desk, tmp_path):
    sign(desk, recorder)
    path = tmp_path / "trust" / "main" / "signing.key"
    path.write_text(Signer(f"{ORIGIN}/main", bytes(32)).line())
    with pytest.raises(NotProven, match="not signed by"):
        desk.sign(recorder, LogTree(recorder))


def test_a_folder_that_cannot_be_written_is_a_clear_error(recorder, tmp_path):
    (tmp_path / "trust").write_text("a file")
    with pytest.raises(DatabaseUnusable, match=r"trust/main cannot be written .*LEDGER_TRUST_DIR"):
        SigningDesk(tmp_path / "trust", ORIGIN, "main").sign(recorder, LogTree(recorder))


def test_where_the_state_is_kept(tmp_path):
    assert str(trust_directory("sqlite:////data/a.db", None)) == "/data/a.db.trust"
    assert str(trust_directory("postgresql+psycopg://host/name", None)) == "sales-ledger.trust"
    assert trust_directory("sqlite:////data/a.db", str(tmp_path)) == tmp_path


# Two at once ----------------------------------------------------------------------------------------------------------


def signing(url, kind, directory, rounds, told):
    with recorder_of(url) as recorder:
        desk = SigningDesk(directory, ORIGIN, "main")
        for _ in range(rounds):
            grow_to(recorder, recorder.head().position + 3, kind)
            told.put(desk.sign(recorder, LogTree(recorder)))


def test_the_settings_say_whose_desk_it_is_and_where(tmp_path):
    settings = Settings(database_url=f"sqlite:///{tmp_path}/a.db", origin="north.example")
    for each, folder in ((settings, "a.db.trust"), (settings.model_copy(update={"trust_dir": tmp_path / "b"}), "b")):
        desk = desk_of(each, "east")
        with recorder_of(settings.database_url, "east") as recorder:
            assert opened(desk.sign(recorder, LogTree(recorder)), desk.verifier).origin == "north.example/east"
        assert (tmp_path / folder / "east" / "signing.key").exists()


def test_two_processes_that_append_and_sign_at_once_make_one_line_of_checkpoints(database_url, desk, tmp_path):
    with recorder_of(database_url):
        pass
    spawn = multiprocessing.get_context("spawn")
    told = spawn.Queue()
    processes = [
        spawn.Process(target=signing, args=(database_url, kind, tmp_path / "trust", 15, told), daemon=True)
        for kind in ("deal", "quote")
    ]
    for process in processes:
        process.start()
    notes = [told.get(timeout=60) for _ in range(30)]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    kept = [opened(note, desk.verifier) for note in desk.notes()]
    assert {opened(note, desk.verifier) for note in notes} == set(kept)
    assert len({each.size for each in kept}) == len(kept)
    with recorder_of(database_url) as recorder:
        log = LogTree(recorder)
        for each in kept:
            assert log.root(each.size) == each.root


def test_a_copied_folder_knows_what_it_signed(recorder, desk, tmp_path):
    grow_to(recorder, 10)
    sign(desk, recorder)
    shutil.copytree(tmp_path / "trust", tmp_path / "copy")
    assert SigningDesk(tmp_path / "copy", ORIGIN, "main").notes() == desk.notes()
