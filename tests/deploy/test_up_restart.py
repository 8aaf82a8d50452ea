"""When a part that died is started again, and when the stack gives up."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.up.restart import Again, GiveUp, Policy, after_death

POLICY = Policy(limit=5, within=60.0, first=0.2, longest=1.0)


def _die(times: list[float]) -> list[Again | GiveUp]:
    steps: list[Again | GiveUp] = []
    deaths: tuple[float, ...] = ()
    for now in times:
        steps.append(after_death(POLICY, deaths, now))
        deaths = (*deaths, now)
    return steps


def test_pause_doubles_up_to_the_longest() -> None:
    steps = _die([0.0, 1.0, 2.0, 3.0])
    assert [step.delay for step in steps if isinstance(step, Again)] == [0.2, 0.4, 0.8, 1.0]


def test_the_fifth_death_within_a_minute_ends_it() -> None:
    assert _die([0.0, 10.0, 20.0, 30.0, 59.0])[-1] == GiveUp(5)


def test_deaths_of_an_hour_ago_are_forgotten() -> None:
    assert _die([0.0, 1.0, 2.0, 3.0, 3600.0])[-1] == Again(0.2, (3600.0,))


@given(st.lists(st.floats(0, 1e6), max_size=40).map(sorted))
def test_gives_up_exactly_when_enough_deaths_fall_into_the_time(times: list[float]) -> None:
    for index, step in enumerate(_die(times)):
        recent = [death for death in times[: index + 1] if times[index] - death < POLICY.within]
        assert isinstance(step, GiveUp) == (len(recent) >= POLICY.limit)
