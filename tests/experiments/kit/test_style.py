"""How figures look is decided here, not by a user's matplotlibrc."""

from __future__ import annotations

import matplotlib as mpl

from experiments.kit.style import new_figure, save


def drawn(folder, name):
    figure, (axes,) = new_figure()
    axes.plot([1, 2], [1, 3], label="a_b")
    axes.set(xlabel="x_1", ylabel="$x^2$")
    axes.legend()
    return [path.read_bytes() for path in save(figure, folder, name)]


def test_a_users_settings_change_no_figure(tmp_path):
    before = drawn(tmp_path / "a", "f")
    with mpl.rc_context({"text.usetex": True, "axes.facecolor": "red", "savefig.dpi": 30}):
        assert drawn(tmp_path / "b", "f") == before
