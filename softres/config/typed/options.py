"""Plain values as options: types are checked by OmegaConf, ranges by the classes of the options.

A sweep's jobs share most of their groups, and OmegaConf takes a millisecond for each: what was
made of the same values before is taken again. Options are frozen, and their groups are read only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf, ValueNode
from omegaconf.errors import ConfigKeyError, ValidationError

from softres.common.errors import InputError
from softres.config.one_line import one_line
from softres.config.schema import RunSchema
from softres.config.typed.nearest import no_such_key

__all__ = ["options", "typed"]

T = TypeVar("T")

#: Options, and groups of plain values, by their kind and what they were made of.
_made: dict[tuple[Any, str, str], Any] = {}
#: So many at most: beyond that, a sweep goes through the values of a group itself.
MOST = 1000


def typed(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration of plain values, its top level of the types of the schema.

    Hydra's own check of types ends where a sweep's jobs are composed.

    Raises
    ------
    InputError
        For a key that there is not, and for a value of another type.
    """
    schema = _schema()
    for key in tree:
        if key not in schema:
            raise InputError(no_such_key(str(key)))
    values = _whole(RunSchema, tree)
    try:
        return {str(key): _typed(schema, str(key), values) for key in schema}
    except ValidationError:
        pass
    try:
        merged = OmegaConf.merge(schema, values)
    except ValidationError as error:
        raise InputError(one_line(error)) from None
    whole: Any = OmegaConf.to_container(merged)
    return whole  # type: ignore[no-any-return]


def options(kind: type[T], values: Mapping[str, Any], group: str) -> T:
    """Return options of a class, made of the values of a group.

    Raises
    ------
    InputError
        For a key that there is not, and for a value that is not allowed.
    """
    known = (kind, group, repr(values))
    if "@" in known[-1]:  # a password may be in it, which the options move elsewhere
        return _options(kind, values, group)
    if known not in _made:
        _keep(known, _options(kind, values, group))
    found: T = _made[known]
    return found


@cache
def _schema() -> DictConfig:
    return OmegaConf.structured(RunSchema)  # type: ignore[no-any-return]


def _typed(schema: DictConfig, key: str, values: Mapping[str, Any]) -> Any:
    node = schema._get_node(key)
    if key in values and isinstance(node, ValueNode):
        return node.validate_and_convert(values[key])
    own = {key: values[key]} if key in values else {}
    known = (RunSchema, key, repr(own))
    if known not in _made:
        merged = OmegaConf.merge(schema, own)
        _keep(known, OmegaConf.to_container(merged)[key])  # type: ignore[index, call-overload]
    return _made[known]


def _options(kind: type[T], values: Mapping[str, Any], group: str) -> T:
    try:
        merged = OmegaConf.merge(OmegaConf.structured(kind), _whole(kind, values))
        made = OmegaConf.to_object(merged)
    except ConfigKeyError as error:
        raise InputError(no_such_key(f"{group}.{error.full_key}")) from None
    except ValidationError as error:
        raise InputError(one_line(error, prefix=f"{group}.")) from None
    if not isinstance(made, kind):
        raise InputError(f"{group}: must be a group of options")
    return made


def _keep(known: tuple[Any, str, str], made: Any) -> None:
    if len(_made) >= MOST:
        _made.clear()
    _made[known] = made


def _whole(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values, a float that is a whole number as an integer where one is due: 1e4."""
    due = _integers(kind)
    return {
        key: int(value) if key in due and isinstance(value, float) and value.is_integer() else value
        for key, value in values.items()
    }


@cache
def _integers(kind: type) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind) if str(field.type).startswith("int"))
