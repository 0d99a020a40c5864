"""Checks of the ids in requests."""

from collections.abc import Callable, Sequence

from steelyard_common.errors import FieldViolation, InvalidFieldError


def check_ids(
    field: str, ids: Sequence[str], maximum: int, is_valid: Callable[[str], bool], problem: str
) -> None:
    """Raise InvalidFieldError when there are too many ids, or naming every wrong one."""
    if len(ids) > maximum:
        raise InvalidFieldError(field, f"must name at most {maximum}")
    if not all(map(is_valid, ids)):
        raise InvalidFieldError.of(
            [
                FieldViolation(f"{field}[{index}]" if maximum > 1 else field, problem)
                for index, each in enumerate(ids)
                if not is_valid(each)
            ]
        )
