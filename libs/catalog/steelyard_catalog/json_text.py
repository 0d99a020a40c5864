"""JSON from strangers: decimal numbers exactly as written, nothing that is not a number."""

import json
import sys
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Never

# The largest price of all real catalogues has 7 digits, the smallest 22 decimals.
_MAX_NUMBER_TEXT = 40
_MAX_EXPONENT = 40


class FormatProblem(StrEnum):
    """Why a file as a whole cannot be used."""

    NOT_JSON = "not_json"
    NAN = "nan"
    TOO_DEEP = "too_deep"
    NOT_AN_OBJECT = "not_an_object"
    EMPTY = "empty"


class CatalogueFormatError(ValueError):
    """A file is not what its source publishes."""

    def __init__(self, problem: FormatProblem, message: str) -> None:
        super().__init__(message)
        self.problem = problem


class _NotANumberError(ValueError):
    pass


def read_json(body: bytes) -> object:
    """Parse a body whose floating-point numbers become `Decimal`.

    Raises:
        CatalogueFormatError: It is not JSON in UTF-8, holds NaN or Infinity, or nests too deep.
    """
    try:
        document: object = json.loads(
            body.decode("utf-8-sig"),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_refuse,
        )
    except _NotANumberError as error:
        raise CatalogueFormatError(FormatProblem.NAN, str(error)) from error
    except RecursionError as error:
        raise CatalogueFormatError(FormatProblem.TOO_DEEP, "nests too deep") from error
    except ValueError as error:
        raise CatalogueFormatError(FormatProblem.NOT_JSON, f"is not JSON: {error}") from error
    return document


def _refuse(constant: str) -> Never:
    raise _NotANumberError(f"holds {constant}")


def _decimal(text: str) -> Decimal | None:
    if len(text) > _MAX_NUMBER_TEXT:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent that decimal itself cannot hold
        return None
    return number if abs(number.adjusted()) <= _MAX_EXPONENT else None


def _integer(text: str) -> int | None:
    number = int(text) if len(text) <= _MAX_NUMBER_TEXT else None
    return number if number is not None and abs(number) <= sys.maxsize else None
