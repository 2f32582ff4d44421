"""Attributions as figures: what they say of the map, and on which scale."""

from dataclasses import replace

import torch
from matplotlib.figure import Figure

from gnet.explain.attribution.attribute import Attribution
from gnet.explain.attribution.curves import Curve, Curves
from gnet.figures.reasons import attribution_figure


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def attribution(values: torch.Tensor, *, signed: bool) -> Attribution:
    return Attribution(
        method="integrated-gradients" if signed else "saliency",
        head="main",
        target=1,
        target_name="cup $5",
        stage=None,
        branch=None,
        map=values,
        grid=(values.shape[0], values.shape[1]),
        low=float(values.min()),
        high=float(values.max()),
        signed=signed,
        score=2.5,
        baseline_score=0.5 if signed else None,
        completeness_error=0.003 if signed else None,
        options={"steps": 32, "baseline": "mean"} if signed else {},
    )


def test_an_attribution_prints_its_range_its_finding_and_a_cut_scale():
    values = torch.linspace(-1, 1, 64 * 64).reshape(64, 64)
    plain = words(attribution_figure(attribution(values, signed=True), torch.rand(1, 3, 64, 64)))
    assert "values from −1.0 to 1.0" in plain and "outside" not in plain
    assert "“cup $5”" in plain and "0.003" in plain
    values[0, 0] = 9.0
    cut = words(attribution_figure(attribution(values, signed=True)))
    assert "values from −1.0 to 9.0; 0.5 % lie outside the scale" in cut
    nothing = words(attribution_figure(attribution(torch.zeros(8, 8), signed=False)))
    assert "0 everywhere" in nothing


def test_options_and_the_areas_of_the_curves_stand_in_it():
    def curve(value: float) -> Curve:
        return Curve(values=(value, value))

    curves = Curves(
        shares=(0.0, 1.0),
        parts="2 cells",
        deletion=curve(0.125),
        random_deletion=curve(0.25),
        insertion=curve(0.5),
        random_insertion=curve(0.375),
    )
    said = words(attribution_figure(attribution(torch.eye(64), signed=True), curves=curves))
    assert "steps 32, baseline mean" in said
    for area in ("0.125", "0.250", "0.500", "0.375"):
        assert area in said


def test_a_scale_that_is_given_is_kept():
    own = words(attribution_figure(attribution(torch.eye(64), signed=False)))
    wider = words(attribution_figure(attribution(torch.eye(64), signed=False), limit=4.0))
    assert "1.0" in own.splitlines() and "4.0" in wider.splitlines()
    assert "outside" not in wider


def test_a_table_of_branches_names_its_modules_and_branches():
    values = torch.arange(24.0).reshape(6, 4) - 12
    table = replace(
        attribution(values, signed=True),
        method="feature-ablation",
        head="aux2",
        completeness_error=None,
        options={},
    )
    said = words(attribution_figure(table)).splitlines()
    assert [line for line in said if line in ("3a", "3b", "4a", "4d", "4e")] == [
        "3a",
        "3b",
        "4a",
        "4d",
    ]
    assert {"1×1", "3×3", "5×5", "pool", "−12.00", "11.00"} <= set(said)
