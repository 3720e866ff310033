"""Settings: what the environment says, and what is never shown."""

from pathlib import Path

import pytest
from platformdirs import user_data_path

from lgr_core.config import DEFAULT_MODEL, LAYOUT, SHIPPED, Layout, Settings, home_folder
from lgr_core.errors import InputError


def test_an_empty_environment_gives_the_defaults():
    """Unset and blank variables alike keep what ships."""
    blank = dict.fromkeys(
        ("LGR_HOME", "OPENAI_API_KEY", "LGR_LLM_MODEL", "LGR_LLM_BUDGET_USD"), " "
    )
    assert Settings.from_environment({}) == Settings.from_environment(blank) == Settings()
    assert Settings().home == LAYOUT.home
    assert Settings().llm_model == DEFAULT_MODEL == "gpt-5.2-2025-12-11"
    assert Settings().api_key is Settings().llm_base_url is Settings().llm_budget_usd is None


def test_every_variable_reaches_its_field(tmp_path):
    """Each setting is read from the variable of its name."""
    found = Settings.from_environment(
        {
            "LGR_HOME": str(tmp_path),
            "OPENAI_API_KEY": " sk-secret\n",
            "LGR_LLM_BASE_URL": "http://localhost:8000/v1",
            "LGR_LLM_MODEL": "llama3",
            "LGR_LLM_BUDGET_USD": "2.5",
        }
    )
    assert found == Settings(tmp_path, "sk-secret", "http://localhost:8000/v1", "llama3", 2.5)
    assert found.atlases == tmp_path / "atlases"


@pytest.mark.parametrize(
    ("said", "on"), [("", True), ("1", True), ("On", True), ("0", False), (" no ", False)]
)
def test_uploads_are_on_unless_switched_off(said, on):
    """Yes and no in the usual words."""
    assert Settings.from_environment({"LGR_UPLOADS": said}).uploads is on


def test_a_switch_that_says_neither_is_refused():
    """An operator who thinks uploads are off must not be wrong."""
    with pytest.raises(InputError, match="'off!' is neither yes nor no"):
        Settings.from_environment({"LGR_UPLOADS": "off!"})


def test_limits_of_a_server_are_read():
    """Memory and time of what visitors send, heavy jobs, and the level of the log."""
    found = Settings.from_environment(
        {
            "LGR_UPLOAD_MEMORY_MB": "800",
            "LGR_UPLOAD_DEADLINE": "20",
            "LGR_JOBS": "3",
            "LGR_LOG_LEVEL": "warning",
        }
    )
    assert (found.upload_memory_mb, found.upload_deadline, found.jobs) == (800, 20, 3)
    assert found.log_level == "WARNING"
    with pytest.raises(InputError, match="'LOUD' is no level"):
        Settings.from_environment({"LGR_LOG_LEVEL": "loud"})


def test_limits_of_answers_are_read():
    """Tokens, seconds and hosts, each from its variable."""
    found = Settings.from_environment(
        {
            "LGR_LLM_MAX_TOKENS": "900",
            "LGR_LLM_DEADLINE": "60",
            "LGR_LLM_REDIRECT_HOSTS": "a.example, B.example ,",
        }
    )
    assert (found.llm_max_tokens, found.llm_deadline) == (900, 60)
    assert found.llm_redirect_hosts == ("a.example", "b.example")
    assert (Settings().llm_max_tokens, Settings().llm_deadline) == (4000, 180)


@pytest.mark.parametrize("name", ["LGR_LLM_MAX_TOKENS", "LGR_LLM_DEADLINE"])
@pytest.mark.parametrize("text", ["0", "-1", "many", "1e3", "\u0663", "9" * 30])
def test_a_limit_that_is_no_whole_number_is_refused(name, text):
    """The message names the variable."""
    with pytest.raises(InputError, match=name):
        Settings.from_environment({name: text})


def test_a_budget_of_nothing_is_a_budget():
    """Zero dollars is a limit, not an unset variable."""
    assert Settings.from_environment({"LGR_LLM_BUDGET_USD": "0"}).llm_budget_usd == 0.0


@pytest.mark.parametrize("text", ["much", "-1", "nan", "inf", "$5"])
def test_a_budget_that_is_no_amount_is_refused(text):
    """What is no amount of money never becomes "no limit"."""
    with pytest.raises(InputError, match="LGR_LLM_BUDGET_USD"):
        Settings.from_environment({"LGR_LLM_BUDGET_USD": text})


def test_secrets_are_not_shown():
    """Neither the key nor a password in the address stands in the repr."""
    shown = repr(Settings(Path("/x"), "sk-secret", "http://me:hidden@host/v1"))
    assert "secret" not in shown
    assert "hidden" not in shown


def test_a_home_that_is_a_file_is_refused(tmp_path):
    """Before anything is looked for in it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="LGR_HOME.*is a file"):
        Settings.from_environment({"LGR_HOME": str(tmp_path / "file")})


def test_a_folder_may_be_asked_for_by_a_flag(tmp_path):
    """The error names the flag, not the variable."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--home.*is a file"):
        home_folder(str(tmp_path / "file"), asked="--home")
    assert home_folder(str(tmp_path / "a" / ".." / "new")) == tmp_path / "new"


def test_a_checkout_uses_the_folders_beside_the_package(tmp_path):
    """What ships, the app and the default home are top-level names."""
    layout = Layout.of(tmp_path / "lgr_core")
    assert (layout.shipped, layout.app) == (tmp_path / "data", tmp_path / "app.py")
    assert (layout.home, layout.home_is) == (tmp_path / "data", "data/ of the checkout")


def test_a_wheel_uses_the_folders_inside_the_package(tmp_path):
    """Nothing is built there: the home is the user's."""
    (tmp_path / "data").mkdir()
    layout = Layout.of(tmp_path)
    assert (layout.shipped, layout.app) == (tmp_path / "data", tmp_path / "_app" / "app.py")
    assert layout.home == user_data_path("lgr-explorer", appauthor=False)
    assert "user's data folder" in layout.home_is


def test_these_tests_run_from_a_checkout():
    """Its folders are there."""
    root = Path(__file__).resolve().parents[1]
    assert (LAYOUT.shipped, LAYOUT.app) == (root / "data", root / "app.py")
    assert LAYOUT.shipped == SHIPPED


def test_what_a_home_is(tmp_path):
    """It is said of each, the default one and the named."""
    named = Settings.from_environment({"LGR_HOME": str(tmp_path)})
    assert named.home_is == "named by LGR_HOME"
    assert Settings.from_environment({}).home_is == LAYOUT.home_is


def test_a_started_process_has_the_same_home(tmp_path, monkeypatch):
    """Whatever this one's environment says; all else is passed on."""
    monkeypatch.setenv("LGR_HOME", "/elsewhere")
    monkeypatch.setenv("LGR_LLM_MODEL", "llama3")
    passed = Settings(home=tmp_path).environment()
    assert (passed["LGR_HOME"], passed["LGR_LLM_MODEL"]) == (str(tmp_path), "llama3")
