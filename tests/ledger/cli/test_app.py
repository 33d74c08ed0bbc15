from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.cli import main

COMMANDS = (
    "demo serve append import report reports pack explain events history schema replay rebuild checkpoint prove verify"
    " bundle erase rewrap status doctor"
).split()
HELP_LIMIT_S = 0.5


def sales_ledger(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("sales-ledger")
    return subprocess.run(
        [command, *arguments], capture_output=True, text=True, check=False, env=os.environ | environment
    )


def test_help_lists_every_command_and_answers_at_once():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = sales_ledger("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert [line.split()[0] for line in shown.stdout.partition("Commands:")[2].splitlines() if line] == COMMANDS
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert processor_s < HELP_LIMIT_S  # not by the clock on the wall: other tests run beside this one


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_without_loading_heavy_packages(command):
    code = (
        "import sys; from ledger.cli import main; main([sys.argv[1], '--help'])\n"
        "heavy = {'sqlalchemy', 'pydantic_settings', 'fastapi', 'eventsourcing', 'rich', 'altair', 'babel', 'cryptography'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    shown = subprocess.run([sys.executable, "-c", code, command], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith(f"Usage: sales-ledger {command}")
    assert shown.stderr == "[]\n"


@pytest.mark.parametrize(
    "wrong",
    [["nonsense"], ["events", "--limit", "many"], ["append"], ["status", "--nonsense"], ["serve", "--port", "70000"]],
)
def test_wrong_use_is_one_line_on_stderr_and_exit_code_2(wrong, capsys):
    assert main(wrong) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("sales-ledger: ")
    assert said.err.count("\n") == 1


def test_without_a_command_it_shows_the_help(capsys):
    assert main([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_it_says_its_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "0.1.0\n"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://localhost/x", "sqlite:///FILE or postgresql+psycopg://"),
        ("nope.db", "sqlite:///FILE or postgresql+psycopg://"),
        ("", "sqlite:///FILE or postgresql+psycopg://"),
        ("postgresql+psycopg://u@127.0.0.1:abc/x", "sqlite:///FILE or postgresql+psycopg://"),
        ("sqlite:////nowhere/at/all.db", "there is no ledger at"),
        ("postgresql+psycopg://nobody:secret@127.0.0.1:1/none", "check that it runs"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_without_its_password(url, says, capsys):
    assert main(["status", "--database", url]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "secret" not in said
    assert said.count("\n") == 1


def test_a_file_that_is_no_database_is_refused(tmp_path, capsys):
    path = tmp_path / "notes.db"
    path.write_text("just some notes, long enough to be taken for a header of something\n" * 20)
    assert main(["status", "--database", f"sqlite:///{path}"]) == 2
    assert "is not a ledger" in capsys.readouterr().err


def test_settings_that_make_no_sense_are_named(monkeypatch, capsys):
    monkeypatch.setenv("LEDGER_PORT", "high")
    assert main(["status"]) == 2
    assert "port" in capsys.readouterr().err


def test_a_reader_that_stops_early_gets_no_complaint():
    command = f"{Path(sys.executable).with_name('sales-ledger')} --help | true"
    shown = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert shown.stderr == ""


def test_a_fault_of_ours_is_one_line_unless_traced(monkeypatch, capsys):
    def fail(*_, **__):
        raise ZeroDivisionError("nothing to\ndivide by")

    monkeypatch.setattr("ledger.cli.report.settings_with", fail)
    assert main(["reports"]) == 1
    assert "a fault of this program: ZeroDivisionError: nothing to divide by" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        main(["--trace", "reports"])


def redirected(arguments, where):
    """Exit code and complaints of a command whose output the shell sends there."""
    command = Path(sys.executable).with_name("sales-ledger")
    ran = subprocess.run(
        ["sh", "-c", f'"$@" {where}', "sh", command, *arguments], capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["reports"], ["schema"]])
@pytest.mark.parametrize(
    ("where", "said"),
    [(">/dev/full", "the output cannot be written: No space left on device"), (">&-", "standard output is closed")],
)
def test_where_nothing_can_be_written_is_one_line(arguments, where, said):
    code, err = redirected(arguments, where)
    assert code == 2
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_command_goes_on_without_a_place_for_complaints():
    assert redirected(["reports", "--lang", "en"], "2>&-")[0] == 0
    assert redirected(["nonsense"], "2>&-") == (2, "")
