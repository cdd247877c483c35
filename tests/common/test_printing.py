"""What is printed may be lost; the work that prints it goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORK = """
import sys
sys.path.insert(0, {root!r})
from softres.common.printing import forgiving_output
forgiving_output()
forgiving_output()
for number in range(3000):
    print("line", number, "\\u03b1 \\u2500")
sys.stdout.flush()
with open({done!r}, "w") as file:
    file.write("done")
"""


def work(folder, command, **variables):
    """Run the work in a shell's command; return what came out, and whether it was done."""
    script, done = folder / "work.py", folder / "done"
    script.write_text(WORK.format(root=str(ROOT), done=str(done)))
    words = f"{sys.executable} {script} {command}; echo status ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", words], env=variables, capture_output=True, text=True, check=True
    )
    return ended, done.read_text()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_what_an_encoding_has_not_is_escaped(tmp_path, encoding):
    ended, done = work(tmp_path, "| tail -1", PYTHONIOENCODING=encoding)
    shown = "\u03b1 \u2500" if encoding == "utf-8" else r"\u03b1 \u2500"
    assert ended.stdout == f"line 2999 {shown}\nstatus 0\n"
    assert (ended.stderr, done) == ("", "done")


def test_a_full_disk_is_said_once(tmp_path):
    ended, done = work(tmp_path, "> /dev/full")
    assert ended.stderr.count("\n") == 1
    assert "standard output takes no more (No space left on device)" in ended.stderr
    assert (ended.stdout, done) == ("status 0\n", "done")


def test_a_reader_that_has_seen_enough_is_no_trouble(tmp_path):
    ended, done = work(tmp_path, "| head -1", PYTHONIOENCODING="utf-8")
    assert ended.stdout == "line 0 \u03b1 \u2500\nstatus 0\n"
    assert (ended.stderr, done) == ("", "done")


def test_errors_that_nobody_can_read_are_no_trouble(tmp_path):
    ended, done = work(tmp_path, "> /dev/full 2> /dev/full")
    assert (ended.stdout, ended.stderr, done) == ("status 0\n", "", "done")


def test_streams_of_others_are_left_alone(capsys):
    from softres.common.printing import forgiving_output

    before = sys.stdout
    forgiving_output()
    assert sys.stdout is before


INTERRUPTED = """
import os, sys
sys.path.insert(0, {root!r})
from softres.common import printing
printing.forgiving_output()
write, left = os.write, [1]
def interrupted(descriptor, data):
    written = write(descriptor, data)
    if left and left.pop():
        raise KeyboardInterrupt  # as Ctrl-C does that arrives before the function returns
    return written
printing.os.write = interrupted
try:
    sys.stdout.write("before\\n"); sys.stdout.flush()
except KeyboardInterrupt:
    print("after", flush=True)
"""


def test_what_was_written_when_ctrl_c_came_is_not_written_again():
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(root=str(ROOT))],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (ended.stdout, ended.stderr) == ("before\nafter\n", "")
