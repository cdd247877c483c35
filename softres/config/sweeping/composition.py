"""One choice of groups, composed once: its jobs differ in values only.

Hydra composes a job from its files in a twentieth of a second, and sets single values at the end.
Setting a value here takes microseconds where it is one that OmegaConf would set as it is; anything
else, such as ``+key``, ``~key``, a list or an interpolation, is left to Hydra on a copy.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, ValueNode, open_dict
from omegaconf.errors import OmegaConfBaseException

__all__ = ["Composition"]

#: A variable of the environment, with a default: no value of the configuration changes it.
ENVIRONMENT = re.compile(r"\$\{oc\.env:\w+,[^${}]*\}")


class Composition:
    """A composed configuration whose values may be set anew, again and again.

    Parameters
    ----------
    config
        The configuration; Hydra's own part is left out.
    """

    def __init__(self, config: DictConfig) -> None:
        self._config = copy.deepcopy(config)
        with open_dict(self._config):
            self._config.pop("hydra", None)
        OmegaConf.set_struct(self._config, True)
        self._nodes: dict[str, ValueNode | None] = {}
        refers = _refers(OmegaConf.to_container(self._config, resolve=False))
        self._plain: Any = None if refers else OmegaConf.to_container(self._config, resolve=True)

    def plain(self, values: Sequence[Override] = ()) -> dict[str, Any]:
        """Return the configuration with some values set, as plain values that are all resolved.

        Groups that are not touched are shared: they are read only.

        Raises
        ------
        HydraException, OmegaConfBaseException
            As Hydra does, for a key that there is not or a value that does not fit.
        """
        if self._plain is not None:
            tree = dict(self._plain)
            own: set[str] = set()
            if all(self._set(tree, own, value) for value in values):
                return tree
        from hydra._internal.config_loader_impl import ConfigLoaderImpl

        config = copy.deepcopy(self._config)
        ConfigLoaderImpl._apply_overrides_to_config(list(values), config)
        resolved: Any = OmegaConf.to_container(config, resolve=True)
        return resolved  # type: ignore[no-any-return]

    def _set(self, tree: dict[str, Any], own: set[str], override: Override) -> bool:
        """Set a value as OmegaConf would; return whether that was possible here.

        ``own`` are the groups of the tree that are its own already.
        """
        node = self._node(override)
        if node is None:
            return False
        value: Any = override.value()
        if isinstance(value, str):
            value = str(value)
            if "${" in value or value == "???":
                return False
        elif value is not None and not isinstance(value, bool | int | float):
            return False
        try:
            value = node.validate_and_convert(value)
        except OmegaConfBaseException:
            return False  # Hydra says what is wrong
        *groups, key = override.key_or_group.split(".")
        inner, path = tree, ""
        for group in groups:
            path += f"{group}."
            if path not in own:
                own.add(path)
                inner[group] = dict(inner[group])
            inner = inner[group]
        inner[key] = value
        return True

    def _node(self, override: Override) -> ValueNode | None:
        """Return what holds the value of an override that changes one that is there."""
        if override.package is not None or override.is_delete():
            return None
        if override.is_add() or override.is_force_add() or override.is_sweep_override():
            return None
        key = override.key_or_group
        if key not in self._nodes:
            self._nodes[key] = self._find(key)
        return self._nodes[key]

    def _find(self, key: str) -> ValueNode | None:
        node: Any = self._config
        for name in key.split("."):
            if not isinstance(node, DictConfig) or node._is_none() or name not in node:
                return None
            node = node._get_node(name)
        if not isinstance(node, ValueNode) or node._get_flag("readonly"):
            return None
        return node


def _refers(value: Any) -> bool:
    """Whether a value depends on another, or is missing."""
    if isinstance(value, dict):
        return any(map(_refers, value.values()))
    if isinstance(value, list):
        return any(map(_refers, value))
    if not isinstance(value, str) or ENVIRONMENT.fullmatch(value):
        return False
    return "${" in value or value == "???"
