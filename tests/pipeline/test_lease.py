"""Two runs never share an output folder, and a run that crashed does not hold it for long."""

import dataclasses
import json
import os
import subprocess
import sys
import uuid

import pytest

from pipeline import lease
from pipeline.lease import BEAT_SECONDS, SILENCE_SECONDS, Claim, Lease, LeaseError, acquire, claims_in
from transforms import files

ELSEWHERE = "another-boot pid:[1] 17"


@pytest.fixture(params=["local", "object-store"])
def output(request, tmp_path):
    return {"local": str(tmp_path / "out"), "object-store": f"mock:///{uuid.uuid4().hex}"}[request.param]


def write_claim(output, **fields):
    given = {"host": "far", "pid": 4711, "place": ELSEWHERE, "since": "then", "beat": 3, "beaten": "now", "held": True}
    claim = Claim(name="_lease-far.json", **(given | fields))
    files.write_bytes(files.join(output, claim.name), json.dumps(dataclasses.asdict(claim)).encode())
    return claim


class Waiting:
    """Stands for sleeping: counts the seconds, and lets something happen after some of them."""

    def __init__(self, after=0.0, happen=None):
        self.seconds, self._after, self._happen = 0.0, after, happen

    def __call__(self, seconds):
        self.seconds += seconds
        if self._happen and self.seconds >= self._after:
            self._happen()
            self._happen = None


def test_a_second_run_is_told_who_holds_the_folder_and_leaves_no_trace(output):
    with acquire(output):
        (claim,) = claims_in(output)
        assert (claim.pid, claim.held) == (os.getpid(), True)
        with pytest.raises(LeaseError, match=rf"process {os.getpid()} on .+, since .+, last beat"), acquire(output):
            pass
        assert claims_in(output) == [claim]
    assert claims_in(output) == []
    with acquire(output):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="whether a process lives is told from /proc")
def test_a_process_here_that_is_gone_holds_nothing(output):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    place = lease._place(os.getpid())
    write_claim(output, pid=ended.pid, place=place)
    with acquire(output, wait=Waiting()) as held:
        assert [claim.name for claim in claims_in(output)] == [files.join("", held.uri).rpartition("/")[2]]


@pytest.mark.skipif(sys.platform != "linux", reason="whether a process lives is told from /proc")
def test_a_process_that_has_the_number_of_one_that_is_gone_is_another(output):
    boot, namespace, start = lease._place(os.getpid()).split(" ")
    write_claim(output, pid=os.getpid(), place=f"{boot} {namespace} {int(start) - 1}")
    with acquire(output, wait=Waiting()):
        pass


def test_a_claim_of_another_host_is_dead_when_it_was_silent_while_we_looked_on(output):
    write_claim(output)
    waiting = Waiting()
    said = []
    with acquire(output, said.append, waiting):
        assert waiting.seconds >= SILENCE_SECONDS
        assert "waiting up to 60 s for a sign of life" in said[0]
    assert claims_in(output) == []


@pytest.mark.parametrize("beaten", ["1970-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00"])
def test_a_claim_of_another_host_lives_when_it_beats_whatever_its_clock_says(output, beaten):
    claim = write_claim(output, beaten=beaten)
    waiting = Waiting(2 * BEAT_SECONDS, lambda: write_claim(output, beat=claim.beat + 1, beaten=beaten))
    with pytest.raises(LeaseError, match="process 4711 on far"), acquire(output, wait=waiting):
        pass
    assert waiting.seconds < SILENCE_SECONDS
    assert [claim.name for claim in claims_in(output)] == ["_lease-far.json"]


def test_of_two_that_contend_none_gets_through_before_the_other_gave_up(output):
    other = Lease(output)
    other._write(held=False)
    waiting = Waiting(0.5, other.release)
    with acquire(output, wait=waiting):
        assert len(claims_in(output)) == 1
        assert waiting.seconds >= 0.5


def test_contenders_that_never_give_up_are_not_overrun(output):
    Lease(output)._write(held=False)
    with pytest.raises(LeaseError, match="at the same moment"), acquire(output, wait=Waiting()):
        pass


def test_a_holder_that_another_took_over_from_stops(output):
    with acquire(output) as held:
        held.beat()
        (claim,) = claims_in(output)
        files.remove_tree(files.join(output, claim.name))
        with pytest.raises(LeaseError, match="another run has taken"):
            held.beat()
    with acquire(output) as held:
        write_claim(output)
        with pytest.raises(LeaseError, match="another run has taken"):
            held.beat()


def test_beating_tells_of_the_loss_once(output, monkeypatch):
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.001)
    lost = []
    with acquire(output) as held:
        files.remove_tree(held.uri)
        with held.beating(lost.append):
            while not lost:
                pass
    assert [type(error) for error in lost] == [LeaseError]


def test_what_is_no_claim_is_left_alone(output):
    files.write_bytes(files.join(output, "_lease-broken.json"), b"{")
    files.write_bytes(files.join(output, "_lease-strange.json"), b'{"pid": 1}')
    with acquire(output):
        assert len(claims_in(output)) == 1
