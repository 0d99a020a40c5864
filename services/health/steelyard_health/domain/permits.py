"""Permits for the one probe that a half-open circuit lets through at a time."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Protocol

from steelyard_health.domain.circuit import Circuit
from steelyard_health.domain.subject import Subject

SEPARATOR = "+"
"""A call may be the probe of its offer's circuit and of its provider's."""

MAX_PERMITS = 10_000


class PermitDesk(Protocol):
    """Gives out permits."""

    def has(self, subject: Subject, circuit: Circuit, now: float) -> bool:
        """Say whether the next caller gets one for this half-open circuit."""

    def take(self, subject: Subject, circuit: Circuit, now: float) -> Circuit:
        """Return the circuit with a permit for the caller, once `has` said that there is one."""


class LocalPermitDesk:
    """Where no other process sends probes."""

    def __init__(self, new_permit: Callable[[], str]) -> None:
        self._new_permit = new_permit

    def has(self, subject: Subject, circuit: Circuit, now: float) -> bool:
        del subject
        return not circuit.is_probed_at(now)

    def take(self, subject: Subject, circuit: Circuit, now: float) -> Circuit:
        del subject
        return circuit.permitted(self._new_permit(), now)


class GivenPermits:
    """Which circuit each permit is for; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._subjects: OrderedDict[str, Subject] = OrderedDict()

    def note(self, circuit: Circuit, subject: Subject) -> None:
        if circuit.permit:
            self._subjects[circuit.permit] = subject
            if len(self._subjects) > MAX_PERMITS:
                self._subjects.popitem(last=False)

    def used(self, permits: str) -> Iterable[tuple[str, Subject]]:
        """Return the permits in a text with what they are for; each only once."""
        for permit in permits.split(SEPARATOR):
            subject = self._subjects.pop(permit, None)
            if subject is not None:
                yield permit, subject
