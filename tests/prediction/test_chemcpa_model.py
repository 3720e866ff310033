"""chemCPA (re-implementation) learns what fingerprints say, stops, resumes and refuses in words."""

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from lgr_core.errors import InputError, UsageError
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.chemcpa.model import ChemCPA
from lgr_core.prediction.chemcpa.options import ChemCPAOptions, Epoch, best_epoch

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed (the extra chemcpa)"
)

SIZES = {
    "dim": 8,
    "width": 32,
    "depth": 1,
    "drug_width": 32,
    "drug_depth": 1,
    "doser_width": 8,
    "doser_depth": 1,
    "adversary_width": 8,
    "adversary_depth": 1,
}
LINES, DRUGS, BITS, GENES = 3, 40, 12, 20


def options(**changes):
    """A small network that learns in few steps, on the CPU."""
    rates = {"lr": 5e-3, "lr_step": 20, "batch": 16, "epochs": 10, "check_every": 2}
    rates |= {"device": "cpu"}
    return ChemCPAOptions(**{**SIZES, **rates, **changes})


@pytest.fixture(scope="module")
def world():
    """Four families of drugs, each with bits and effects of its own, beside a shift of the line.

    Drugs 20 to 29 are for validation, 30 to 38 for the test; 39 has no structure.
    """
    rng = np.random.default_rng(0)
    family = np.arange(DRUGS) % 4
    own = np.arange(BITS) // 3 == family[:, None]
    bits = (rng.random((DRUGS, BITS)) < np.where(own, 0.9, 0.1)).astype(np.uint8)
    bits[-1] = 0
    line, drug = (grid.ravel() for grid in np.indices((LINES, DRUGS)))
    effects, shifts = rng.normal(size=(4, GENES)), rng.normal(size=(LINES, GENES))
    deltas = effects[family[drug]] + 0.5 * shifts[line] + 0.1 * rng.normal(size=(len(line), GENES))
    return {
        "bits": bits,
        "controls": rng.uniform(2, 3, (LINES, GENES)).astype(np.float32),
        "deltas": deltas.astype(np.float32),
        "line": line,
        "drug": drug,
        "dose_um": np.full(len(line), 5.0),
        "validation": (drug >= 20) & (drug < 30),
        "test": (drug >= 30) & (drug < DRUGS - 1),
    }


def columns(world, rows=slice(None)):
    """What ``predict`` takes, of some rows."""
    return {name: world[name][rows] for name in ("line", "drug", "dose_um")}


def fit(world, model, *, mode="deltas", **how):
    """Fit on all rows that are not for the test."""
    rows = ~world["test"]
    profiles, controls = world["deltas"], None
    if mode == "profiles":
        controls = world["controls"]
        profiles = profiles + controls[world["line"]]
    said = {"validation": world["validation"][rows], "controls": controls, **columns(world, rows)}
    return model.fit(profiles[rows], **{**said, **how})


def new(world, **changes):
    """A model of the world's shape."""
    return ChemCPA(world["bits"], LINES, GENES, options(**changes))


def test_torch_is_not_imported_with_the_package():
    """Whoever does not make a model needs no torch."""
    code = (
        "import sys, lgr_core, lgr_core.prediction.chemcpa.model; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_torch_the_error_says_how_to_install_it(world, monkeypatch):
    """One error of ours, not an ImportError."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match=r"pip install .lgr-explorer\[chemcpa\]"):
        new(world)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decoder": "sigmoid"}, "Choose one of: linear, relu"),
        ({"lr": 0.0}, "lr: 0.0 is too small"),
        ({"width": -1}, "width: -1 is too small"),
        ({"lr": float("nan")}, "lr: nan"),
        ({"batch": 1}, "batch: one row"),
    ],
)
def test_options_are_checked(changes, said):
    """No network is made of nonsense."""
    with pytest.raises(UsageError, match=said):
        ChemCPAOptions(**changes)


def test_the_best_epoch_is_the_first_of_the_highest_scores():
    """Without any score it is the last."""
    scores = [None, 0.2, 0.5, None, 0.5]
    epochs = [Epoch(i, 0.0, 0.0, 0.0, score) for i, score in enumerate(scores, start=1)]
    assert best_epoch(epochs) == 3
    assert best_epoch(epochs[:1]) == 1


def test_training_ends_at_a_check_when_patience_is_over():
    """Best at 2, patience 3, checks at even epochs: over after 6, not after 5."""
    few = options(patience=3, epochs=100)
    epochs = [Epoch(i, 0.0, 0.0, 0.0, {2: 0.5, 4: 0.1, 6: 0.1}.get(i)) for i in range(1, 7)]
    assert [few.ended(epochs[:n]) for n in range(7)] == [False] * 6 + [True]


@pytest.mark.slow
@needs_torch
@pytest.mark.parametrize("mode", ["deltas", "profiles"])
def test_it_learns_what_unseen_drugs_do(world, mode):
    """Drugs never trained on are read from their fingerprints: better than their line's mean."""
    model = new(world, epochs=80)
    history = fit(world, model, mode=mode)
    assert history.mode == mode
    assert history.epochs[-1].rebuilt < history.epochs[0].rebuilt
    test, line = world["test"], world["line"]
    trained = ~world["test"] & ~world["validation"]
    means = np.stack([world["deltas"][trained & (line == i)].mean(axis=0) for i in range(LINES)])
    ours = pearson_delta(model.predict(**columns(world, test)), world["deltas"][test])
    theirs = pearson_delta(means[line[test]], world["deltas"][test])
    assert ours.mean() > theirs.mean() + 0.1


@needs_torch
@pytest.mark.parametrize("mode", ["deltas", "profiles"])
def test_an_interrupted_training_ends_the_same(world, mode, tmp_path):
    """Stopped between two checkpoints and gone on with: the same weights, bit for bit."""
    uneven = {"adversary_steps": 5, "lr_step": 3}
    whole, broken, resumed = (new(world, **uneven) for _ in range(3))
    expected = fit(world, whole, mode=mode)

    def stop(epoch):
        if epoch.number == 5:
            raise KeyboardInterrupt

    path = tmp_path / "folder" / "half.pt"
    with pytest.raises(KeyboardInterrupt):
        fit(world, broken, mode=mode, checkpoint=path, progress=stop)
    seen = []
    found = fit(world, resumed, mode=mode, checkpoint=path, progress=seen.append)
    assert [epoch.number for epoch in seen] == [5, 6, 7, 8, 9, 10]
    assert found == expected
    np.testing.assert_array_equal(
        resumed.predict(**columns(world, world["test"])),
        whole.predict(**columns(world, world["test"])),
    )
    assert [p.name for p in path.parent.iterdir()] == ["half.pt"]


@needs_torch
def test_a_finished_checkpoint_is_not_trained_again(world, tmp_path):
    """Nor is one whose patience was over."""
    path = tmp_path / "done.pt"
    first = fit(world, new(world, patience=1, epochs=60), checkpoint=path)
    assert len(first.epochs) < 60
    seen = []
    model = new(world, patience=1, epochs=60)
    assert fit(world, model, checkpoint=path, progress=seen.append) == first
    assert seen == []


@needs_torch
def test_it_trains_on_one_thread_and_gives_the_others_back(world, monkeypatch):
    """Processes that train side by side would otherwise each take every core."""
    import torch  # noqa: PLC0415 - optional

    from lgr_core.prediction.chemcpa.training import Training  # noqa: PLC0415 - needs torch

    threads, step = set(), Training._step

    def watched(*args):
        threads.add(torch.get_num_threads())
        return step(*args)

    monkeypatch.setattr(Training, "_step", watched)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        fit(world, new(world, epochs=2))
        assert (threads, torch.get_num_threads()) == ({1}, 2)
    finally:
        torch.set_num_threads(before)


@needs_torch
def test_the_seed_decides(world):
    """The same seed gives the same numbers, whatever was drawn before; another does not."""
    import torch  # noqa: PLC0415 - only where it is installed

    one = new(world)
    fit(world, one)
    torch.rand(7)
    again, other = new(world), new(world, seed=1)
    fit(world, again)
    fit(world, other)
    where = columns(world, world["test"])
    np.testing.assert_array_equal(one.predict(**where), again.predict(**where))
    assert np.abs(one.predict(**where) - other.predict(**where)).max() > 1e-3


@needs_torch
def test_fitting_again_starts_anew(world):
    """What a model learned before has no part in the next fit."""
    model = new(world)
    first = fit(world, model)
    assert fit(world, model) == first


@needs_torch
def test_the_weights_of_the_best_epoch_are_used(world):
    """The score of the predictions is the best score of the history, not the last."""
    model = new(world, epochs=40, lr=0.05)
    history = fit(world, model)
    best = history.epochs[history.best - 1].validation
    last = history.epochs[-1].validation
    assert best > last
    rows = world["validation"]
    scores = pearson_delta(model.predict(**columns(world, rows)), world["deltas"][rows])
    assert scores.mean() == pytest.approx(best, abs=1e-6)


@needs_torch
def test_an_interrupted_model_has_its_best_weights(world):
    """It predicts as well as its best epoch did; the history says which."""
    model = new(world, epochs=40, lr=0.05)
    scores = []

    def stop(epoch):
        scores.append(epoch.validation)
        if (
            len(scores) > 2
            and epoch.validation is not None
            and epoch.validation < max(score for score in scores if score is not None)
        ):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(world, model, progress=stop)
    rows = world["validation"]
    found = pearson_delta(model.predict(**columns(world, rows)), world["deltas"][rows])
    assert found.mean() == pytest.approx(scores[model.history.best - 1], abs=1e-6)
    assert model.history.best < len(scores)


@needs_torch
def test_without_validation_the_last_weights_are_used(world):
    """All epochs are run, nothing is scored."""
    history = fit(world, new(world), validation=np.zeros((~world["test"]).sum(), dtype=bool))
    assert history.best == len(history.epochs) == 10
    assert {epoch.validation for epoch in history.epochs} == {None}


@needs_torch
def test_no_structure_and_no_training_line_are_nan(world):
    """Drug 39 has no bits, line 2 no row: neither is trained on, scored or predicted."""
    model = new(world, epochs=2)
    rows = ~world["test"] & (world["line"] != 2)
    history = model.fit(
        world["deltas"][rows], validation=world["validation"][rows], **columns(world, rows)
    )
    assert history.provenance["rows_without_structure"] == 2
    assert history.provenance["rows"] == 2 * 20
    found = model.predict([0, 0, 2, 1], [0, 39, 0, 1], [5.0, 5.0, 5.0, None])
    assert np.isnan(found).any(axis=1).tolist() == [False, True, True, False]
    assert np.isfinite(found[[0, 3]]).all()
    assert found.dtype == np.float32


@needs_torch
def test_a_pooled_dose_is_the_highest(world):
    """NaN and None mean that; a tenth of it is another prediction."""
    model = new(world)
    doses = np.where(np.arange((~world["test"]).sum()) % 2, 5.0, 0.5)
    fit(world, model, dose_um=doses)
    high, pooled, none, low = model.predict([0] * 4, [0] * 4, [5.0, np.nan, None, 0.5])
    np.testing.assert_allclose([pooled, none], [high, high], rtol=1e-4, atol=1e-5)
    assert np.abs(high - low).max() > 1e-3


@needs_torch
def test_a_batch_of_one_row_is_never_left_over(world):
    """Batch normalisation has no spread of one: 3 rows in batches of 2 are one batch."""
    model = new(world, epochs=2, batch=2)
    history = model.fit(
        world["deltas"][:2], **columns(world, slice(2)), validation=np.zeros(2, dtype=bool)
    )
    assert history.provenance["rows"] + history.provenance["vehicle_rows_added"] == 3


@needs_torch
def test_deltas_are_the_vehicle_under_the_drug_less_the_vehicle(world):
    """By hand: decoder(encoder(u) + doser * drug encoder + line), its first half, less u."""
    import torch  # noqa: PLC0415 - only where it is installed

    model = new(world, epochs=2)
    fit(world, model, mode="profiles")
    net = model._training.network.eval()
    with torch.no_grad():
        u = torch.from_numpy(world["controls"][1:2])
        bits = torch.from_numpy(world["bits"][7:8]).float()
        strength = net.doser(torch.cat([bits, torch.ones(1, 1)], dim=1))
        latent = net.encoder(u) + strength * net.drug_encoder(bits) + net.lines.weight[1]
        expected = net.decoder(latent)[:, :GENES] - u
    np.testing.assert_allclose(model.predict([1], [7], [5.0]), expected.numpy(), rtol=1e-4)


@needs_torch
def test_a_prediction_does_not_depend_on_its_company(world):
    """Batch normalisation uses what it learned: alone, or with all others, a delta is the same."""
    model = new(world, epochs=2)
    fit(world, model)
    crowd = model.predict(**columns(world))
    alone = model.predict(**columns(world, slice(3, 4)))
    np.testing.assert_allclose(alone, crowd[3:4], rtol=1e-4, atol=1e-5)


@needs_torch
def test_vehicle_gets_no_drug_and_relu_means_are_not_negative(world):
    """Vehicle is the last place of the frozen table; variances are always positive."""
    import torch  # noqa: PLC0415 - only where it is installed

    net = new(world, decoder="relu")._training.network.eval()
    effect = net.perturbation(torch.tensor([0, DRUGS]), torch.tensor([1.0, 1.0]))
    assert effect[0].abs().max() > 0
    assert effect[1].abs().max() == 0
    mean, variance = net.decode(torch.randn(50, SIZES["dim"]))
    assert mean.min() == 0
    assert variance.min() > 0
    assert not net.fingerprints.requires_grad


@needs_torch
def test_adversaries_and_autoencoder_take_turns(world):
    """The first step of three is the adversaries' alone, the others are not theirs."""
    training = new(world, batch=500)._training
    rows = training_rows(world)

    def moved():
        before = {k: v.clone() for k, v in training.network.named_parameters()}
        training.epoch(rows)
        after = dict(training.network.named_parameters())
        return {k.split(".")[0] for k, v in before.items() if not v.equal(after[k])}

    judges = {"drug_adversary", "line_adversary"}
    body = {"encoder", "decoder", "drug_encoder", "lines", "doser"}
    assert [moved() for _ in range(4)] == [judges, body, body, judges]


@needs_torch
def test_the_autoencoder_hides_the_line_from_its_adversary(world):
    """Paid for it, it leaves the adversary at chance, ln 3; unpaid, the line is plain to see."""
    sharp = {"adversary_lr": 0.05, "adversary_penalty": 0.0, "adversary_steps": 2}
    models = (
        new(world, epochs=60, adversary_drug=0.0, adversary_line=pay, **sharp) for pay in (0, 1)
    )
    plain, hiding = (fit(world, model).epochs[-1].line for model in models)
    assert plain < 0.7
    assert hiding > 0.9


@needs_torch
def test_adversaries_are_kept_smooth():
    """By hand: logits basal @ W slope by the sums of W's rows, 3 and 4; their mean square."""
    import torch  # noqa: PLC0415 - only where it is installed

    from lgr_core.prediction.chemcpa.network import Output  # noqa: PLC0415 - needs torch
    from lgr_core.prediction.chemcpa.training import _slope  # noqa: PLC0415 - needs torch

    basal = torch.randn(5, 2, requires_grad=True)
    logits = basal @ torch.tensor([[1.0, 2.0], [4.0, 0.0]])
    found = _slope(logits, Output(basal, basal, basal))
    assert found.item() == pytest.approx((3**2 + 4**2) / 2)


def training_rows(world):
    """All rows as the training takes them."""
    from lgr_core.prediction.chemcpa.training import make_rows  # noqa: PLC0415 - needs torch

    dose = np.ones(len(world["line"]))
    return make_rows(world["deltas"], world["line"], world["drug"], dose)


@needs_torch
def test_rates_fall_every_few_epochs(world):
    """By a tenth, and not before their time; a resumed run goes on from there."""
    training = new(world, lr=1e-2, lr_step=2)._training
    rows, rates = training_rows(world), []
    for _ in range(5):
        rates.append(training.state()["optimisers"]["doser"]["param_groups"][0]["lr"])
        training.epoch(rows)
    assert rates == pytest.approx([1e-2, 1e-2, 9e-3, 9e-3, 8.1e-3])


@needs_torch
def test_the_published_sizes_are_the_default(world):
    """32 latent dimensions behind four hidden layers of 256, twice the genes at the end."""
    net = ChemCPA(world["bits"], LINES, GENES)._training.network
    sizes = {
        part: [layer.out_features for layer in getattr(net, part) if hasattr(layer, "out_features")]
        for part in ("encoder", "decoder", "drug_encoder", "doser", "drug_adversary")
    }
    assert sizes == {
        "encoder": [256] * 4 + [32],
        "decoder": [256] * 4 + [2 * GENES],
        "drug_encoder": [128] * 4 + [32],
        "doser": [64] * 3 + [1],
        "drug_adversary": [128] * 3 + [DRUGS + 1],
    }


@needs_torch
def test_a_saved_model_predicts_the_same(world, tmp_path):
    """Loaded into a new model of the same making."""
    model, loaded = new(world), new(world)
    history = fit(world, model, mode="profiles")
    model.save(tmp_path / "model.pt")
    assert loaded.load(tmp_path / "model.pt", data=history.data) == history
    where = columns(world)
    np.testing.assert_array_equal(loaded.predict(**where), model.predict(**where))


@needs_torch
def test_files_of_other_data_or_options_are_refused(world, tmp_path):
    """Whether loaded or gone on from."""
    path = tmp_path / "model.pt"
    fit(world, new(world), checkpoint=path)
    with pytest.raises(InputError, match="other fingerprints, sizes or options"):
        new(world, lr=0.1).load(path)
    with pytest.raises(InputError, match="from other data"):
        new(world).load(path, data="0" * 64)
    with pytest.raises(InputError, match="from other data"):
        fit({**world, "deltas": world["deltas"] + 1}, new(world), checkpoint=path)
    new(world, device="auto").load(path)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return self.path.touch, ()


@needs_torch
@pytest.mark.parametrize("what", ["missing", "damaged", "cut", "code", "foreign"])
def test_files_that_are_no_models_are_refused(world, what, tmp_path):
    """In words, and no code in them is run."""
    import torch  # noqa: PLC0415 - only where it is installed

    path, sprung = tmp_path / "model.pt", tmp_path / "sprung"
    if what == "damaged":
        path.write_text("no model")
    elif what == "cut":
        model = new(world, epochs=2)
        fit(world, model, checkpoint=path)
        path.write_bytes(path.read_bytes()[:5000])
    elif what == "code":
        torch.save({"training": Trap(sprung)}, path)
    elif what == "foreign":
        torch.save([1.0], path)
    with pytest.raises(InputError, match="model.pt: (there is no|it is)"):
        new(world).load(path)
    assert not sprung.exists()


@needs_torch
@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"line": np.full(93, 3)}, UsageError, "3 where there are 3"),
        ({"drug": np.full(93, -2)}, UsageError, "-2 where there are 40"),
        ({"dose_um": np.zeros(93)}, UsageError, "0 uM of a drug"),
        ({"drug": np.full(93, -1)}, UsageError, "vehicle rows in it"),
        ({"line": np.zeros(5, dtype=int)}, UsageError, "profiles"),
        ({"controls": np.zeros((2, GENES))}, UsageError, "controls"),
        ({"controls": np.full((LINES, GENES), np.nan)}, InputError, "controls"),
        ({"validation": np.ones(93, dtype=bool)}, InputError, "0 treated rows are left"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(world, changes, error, said):
    """Before anything is trained."""
    with pytest.raises(error, match=said):
        fit(world, new(world), **changes)


@needs_torch
def test_profiles_that_cannot_be_learned_are_refused(world):
    """Not finite, negative under a ReLU, or so large that the loss is not finite."""
    with pytest.raises(InputError, match="a value is not finite"):
        fit({**world, "deltas": world["deltas"] * np.nan}, new(world))
    with pytest.raises(UsageError, match='decoder="linear"'):
        fit(world, new(world, decoder="relu"))
    with pytest.raises(InputError, match="in epoch 1"):
        fit({**world, "deltas": world["deltas"] * np.float32(1e30)}, new(world))


@needs_torch
def test_prediction_needs_a_fit_and_a_drug(world, tmp_path):
    """Errors say which."""
    model = new(world, epochs=2)
    with pytest.raises(UsageError, match="not fitted"):
        model.predict([0], [0], [5.0])
    with pytest.raises(UsageError, match="not fitted"):
        model.save(tmp_path / "model.pt")
    fit(world, model)
    with pytest.raises(UsageError, match="vehicle is to be predicted"):
        model.predict([0], [-1], [5.0])
    with pytest.raises(UsageError, match="40 where there are 40"):
        model.predict([0], [40], [5.0])
    assert model.predict([], [], []).shape == (0, GENES)
