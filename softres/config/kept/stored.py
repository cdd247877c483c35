"""Settings of a run that is in a store, from the configuration that it kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from softres.common.errors import InputError
from softres.config.kept.plain_yaml import plain_yaml
from softres.config.kept.trust import check_trust, given_anew
from softres.config.one_line import one_line
from softres.config.schema import RunSchema
from softres.config.settings import settings
from softres.harness.settings import Settings

__all__ = ["stored_settings"]


def stored_settings(
    text: str,
    plugins: Sequence[str] = (),
    *,
    trusted: bool = False,
    given: Mapping[str, Any] | None = None,
) -> Settings:
    """Check a kept configuration like one from the command line; track nothing.

    A store is written by others. Its YAML is read as plain values, nothing in it is resolved,
    imported or called, and every key and range is checked as usual. Of the plug-ins that the run
    was made with only the names are told: they are code. Addresses, paths, and sizes and limits
    that are large are not followed unless they are trusted: a scheduler that a store names would
    send what is unpickled, and so run code of its own.

    Parameters
    ----------
    text
        The configuration, YAML.
    plugins
        Files of plug-ins that the user gives.
    trusted
        Whether addresses, paths, sizes and limits are taken from the store.
    given
        Values of the user's, by key, instead of the store's.

    Raises
    ------
    InputError
        If it is no configuration of a run, or has a value that is not allowed; if it had plug-ins
        and none are given, with their names.
    """
    tree = plain_yaml(text, "config.yaml")
    if not isinstance(tree, dict) or not all(isinstance(key, str) for key in tree):
        raise InputError("config.yaml: must be a mapping of the keys of a run")
    _check_plain(tree, "")
    made_with = tree.get("plugins")
    values, here = given or {}, _HERE | {"plugins": list(plugins)}
    tree = given_anew(tree, values) | here
    if not trusted:
        check_trust(given_anew(tree, dict.fromkeys(values)) | dict.fromkeys(here), "config.yaml")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(RunSchema), tree)
        return settings(merged)  # type: ignore[arg-type]  # a structured mapping is a DictConfig
    except OmegaConfBaseException as error:
        raise InputError(f"config.yaml: {one_line(error)}") from None
    except InputError as error:
        if not made_with or plugins:
            raise
        raise InputError(
            f"{error}; it was made with plugins={made_with}: give --plugins FILE to run that code"
        ) from None
    except KeyError as error:
        raise InputError(f"config.yaml: {error.args[0]} is missing") from None


#: Instead of what the run was asked with: a repetition is no part of the store.
_HERE: dict[str, Any] = {"tracking": {"enabled": False}, "force": True, "sweep": {}}


def _check_plain(value: Any, where: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if str(key).startswith("_"):
                raise InputError(f"config.yaml: {where}{key}: no such key")
            _check_plain(item, f"{where}{key}.")
    elif isinstance(value, list):
        for item in value:
            _check_plain(item, where)
    elif isinstance(value, str) and "${" in value:
        raise InputError(f"config.yaml: {where.rstrip('.')}: a kept value refers to nothing else")
