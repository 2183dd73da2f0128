"""What ranks print appears in the parent's sys.stdout, in order, with the rank in front."""

import io
import os
import sys
import time

import pytest
import torch.distributed as dist

from amdahl_lab.parallel import RankError, run_ranks
from amdahl_lab.parallel._output import Printer, Text


def test_lines_of_different_ranks_keep_the_order_in_which_they_were_written(capsys):
    def take_turns() -> None:
        for turn in range(30):
            if turn % dist.get_world_size() == dist.get_rank():
                print(f"turn {turn}")
            dist.barrier()

    run_ranks(take_turns, 3)
    shown = capsys.readouterr().out.splitlines()
    assert shown == [f"[rank {turn % 3}] turn {turn}" for turn in range(30)]


def test_stdout_and_stderr_of_one_rank_keep_their_order(capsys):
    def both() -> None:
        for turn in range(10):
            print(turn, file=sys.stderr if turn % 2 else sys.stdout)

    run_ranks(both, 1)
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [f"[rank 0] {turn}" for turn in range(10)]
    assert captured.err == ""


def test_c_code_and_child_processes_are_heard_and_gloo_is_not(capfd):
    def loud() -> None:
        os.system("echo from a child")
        os.write(2, b"from below\n")
        dist.new_group([0, 1])

    run_ranks(loud, 2)
    lines = capfd.readouterr().out.splitlines()
    expected = [f"[rank {k}] {words}" for k in (0, 1) for words in ("from a child", "from below")]
    assert sorted(lines) == expected


def test_nothing_is_shown_where_nothing_is_printed(capfd):
    run_ranks(dist.barrier, 2)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_output_appears_while_the_ranks_run(monkeypatch):
    arrivals = []

    class Clock:
        def write(self, text: str) -> None:
            arrivals.append((time.monotonic(), text))

        def flush(self) -> None:
            pass

    def slow() -> None:
        print("early")
        time.sleep(1.0)
        print("late")

    monkeypatch.setattr(sys, "stdout", Clock())
    run_ranks(slow, 1)
    (early, first), (late, second) = arrivals
    assert (first, second) == ("[rank 0] early\n", "[rank 0] late\n")
    assert late - early > 0.8


def test_what_was_printed_before_a_sudden_end_is_shown(capsys):
    def end() -> None:
        print("last words")
        print("and no newline", end="", flush=True)
        os._exit(0)

    with pytest.raises(RankError, match="exit code 0"):
        run_ranks(end, 1)
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["[rank 0] last words", "[rank 0] and no newline"]


def test_a_child_forked_in_a_rank_does_not_speak_for_it():
    def fork() -> str:
        child = os.fork()
        if child == 0:
            os._exit(7)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert run_ranks(fork, 2) == [7, 7]


def test_a_console_that_lacks_a_character_does_not_end_the_run(monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
    monkeypatch.setattr(sys, "stdout", console)
    assert run_ranks(lambda: print("加速 2x"), 1) == [None]
    console.flush()
    assert console.buffer.getvalue() == b"[rank 0] \\u52a0\\u901f 2x\n"


def test_a_progress_bar_shows_its_last_state(tmp_path, capsys):
    printer = Printer(str(tmp_path), 1)
    printer.show([Text(0.0, 0, "err", b"10%\r50%\r100%\n")])
    assert capsys.readouterr().out == "[rank 0] 100%\n"


def test_gloo_lines_are_left_out_of_raw_output_only(tmp_path, capsys):
    noise = b"[Gloo] Rank 0 is connected to 1 peer ranks. Expected number of connected peer ranks\n"
    (tmp_path / "rank0.log").write_bytes(noise + b"kept\n")
    printer = Printer(str(tmp_path), 1)
    printer.show_raw()
    printer.show([Text(0.0, 0, "out", noise)])
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "[rank 0] kept"
    assert out[1].startswith("[rank 0] [Gloo]")
