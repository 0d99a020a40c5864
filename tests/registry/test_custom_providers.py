"""Providers of an installation's own file."""

import os
from pathlib import Path

import pytest

from steelyard_registry.adapters.custom_providers import (
    MAX_BYTES,
    MAX_FAULTS,
    MAX_MODELS,
    MAX_PROVIDERS,
    CustomProviders,
    CustomProvidersError,
    read_custom_providers,
)
from steelyard_registry.adapters.provider_table import read_providers
from steelyard_registry.domain.modes import Capability, Mode
from steelyard_registry.domain.providers import AuthStyle, Provider, WireFormat
from tests.fakes import START

C = Capability
WHOLE = r"""
[providers.my-vllm]
display_name = "vLLM in the cellar"
base_url = "http://10.0.0.7:8000/v1/"
wire_format = "anthropic"
auth_style = "x-api-key"
key_variables = ["VLLM_API_KEY", "VLLM_OTHER_KEY"]
key_pattern = 'vllm-[\w-]{8,}'
status_page_url = "https://status.example.com"
status_api_url = "https://status.example.com/api/v2/summary.json?x=1"
status_format = "statuspage"

[[providers.my-vllm.models]]
id = "/models/Llama-3.3-70B"
model = "Llama-3_3-70B-Instruct"
display_name = "Llama"
max_input_tokens = 131072
max_output_tokens = 8192
capabilities = ["tools", "structured_output"]
denied_capabilities = ["audio_input"]
input_modalities = ["text", "image", "audio"]

[[providers.my-vllm.models]]
id = "bge-m3"
mode = "embedding"

[providers.plain]
base_url = "https://plain.example.com"
"""


def read(tmp_path: Path, text: str | bytes) -> CustomProviders:
    path = tmp_path / "providers.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, (START.timestamp(), START.timestamp()))
    return read_custom_providers(path)


def faults(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(CustomProvidersError) as caught:
        read(tmp_path, text)
    return str(caught.value)


def table(*lines: str, name: str = "acme") -> str:
    given = "\n".join(lines)
    address = "" if "base_url" in given else 'base_url = "https://acme.example.com"\n'
    return f"[providers.{name}]\n{address}{given}\n"


def model(*lines: str, name: str = "acme") -> str:
    return "\n".join([table(name=name), f"[[providers.{name}.models]]", *lines, ""])


def test_a_provider_is_as_the_file_says(tmp_path: Path) -> None:
    custom = read(tmp_path, WHOLE)

    assert custom.providers["my-vllm"] == Provider(
        provider="my-vllm",
        display_name="vLLM in the cellar",
        base_url="http://10.0.0.7:8000/v1",
        wire_format=WireFormat.ANTHROPIC,
        auth_style=AuthStyle.X_API_KEY,
        key_variables=("VLLM_API_KEY", "VLLM_OTHER_KEY"),
        key_pattern=r"vllm-[\w-]{8,}",
        status_page_url="https://status.example.com",
        status_api_url="https://status.example.com/api/v2/summary.json?x=1",
        status_format="statuspage",
        is_custom=True,
    )


def test_an_address_is_enough(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE).providers["plain"] == Provider(
        provider="plain",
        display_name="plain",
        base_url="https://plain.example.com",
        wire_format=WireFormat.OPENAI,
        auth_style=AuthStyle.BEARER,
        is_custom=True,
    )


def test_models_are_offers(tmp_path: Path) -> None:
    llama, embedding = read(tmp_path, WHOLE).offers

    assert llama.offer == "my-vllm//models/Llama-3.3-70B"
    assert (llama.provider, llama.provider_model) == ("my-vllm", "/models/Llama-3.3-70B")
    assert llama.model == "llama-3.3-70b-instruct"
    assert llama.mode is Mode.CHAT
    assert llama.capabilities == {C.TOOLS, C.STRUCTURED_OUTPUT, C.VISION}
    assert llama.denied == {C.AUDIO_INPUT}
    assert (llama.max_input_tokens, llama.max_output_tokens) == (131072, 8192)
    assert llama.input_modalities == ("text", "image", "audio")
    assert llama.display_name == "Llama"
    assert (llama.source, llama.observed_time) == ("custom", START)
    assert embedding.mode is Mode.EMBEDDING
    assert embedding.offer == "my-vllm/bge-m3"
    assert embedding.capabilities == embedding.denied == frozenset()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (('id = "gpt-oss-120b"',), "gpt-oss-120b"),
        (('id = "meta-llama/Llama-3.3-70B-Instruct"',), "llama-3.3-70b-instruct"),
        (('id = "our-finetune"',), "acme/our-finetune"),
        (('id = "prod"', 'model = "Claude-Sonnet-4-5"'), "claude-sonnet-4.5"),
        (('id = "prod"', 'model = "claude-sonnet-4.5"'), "claude-sonnet-4.5"),
        (('id = "prod"', 'model = "other/Our-Finetune"'), "other/our-finetune"),
    ],
)
def test_an_offer_is_of_the_model_that_is_named_or_that_its_id_says(
    tmp_path: Path, lines: tuple[str, ...], expected: str
) -> None:
    (offer,) = read(tmp_path, model(*lines)).offers

    # Versions have one spelling, with or without a dot, and it is the rules' to choose it.
    assert offer.model.replace(".", "-") == expected.replace(".", "-")


def test_ollama_gets_models_and_an_address(tmp_path: Path) -> None:
    own = '[[providers.ollama.models]]\nid = "llama3.2:3b"\ncapabilities = ["tools"]\n'

    without, moved = (
        read(tmp_path, own),
        read(tmp_path, '[providers.ollama]\nbase_url = "http://box:11434/v1"\n' + own),
    )

    bundled = read_providers()["ollama"]
    assert without.providers["ollama"].base_url == bundled.base_url
    assert moved.providers["ollama"].base_url == "http://box:11434/v1"
    assert moved.providers["ollama"].auth_style is bundled.auth_style is AuthStyle.NONE
    assert moved.providers["ollama"].is_custom
    assert [offer.offer for offer in moved.offers] == ["ollama/llama3.2:3b"]
    assert "providers.ollama.auth_style" in faults(
        tmp_path, '[providers.ollama]\nauth_style = "bearer"\n'
    )


def test_a_bundled_seller_that_cannot_be_called_can_be_completed(tmp_path: Path) -> None:
    custom = read(tmp_path, table('key_variables = ["XAI_API_KEY"]', name="xai"))

    bundled = read_providers()["xai"]
    assert not bundled.is_routable
    assert custom.providers["xai"].is_routable
    assert custom.providers["xai"].display_name == "xAI"
    assert custom.providers["xai"].status_api_url == bundled.status_api_url


@pytest.mark.parametrize("name", ["openai", "anthropic", "zhipu", "openrouter"])
def test_a_bundled_provider_cannot_be_taken(tmp_path: Path, name: str) -> None:
    assert f"providers.{name}: there is a provider of this name" in faults(
        tmp_path, table(name=name)
    )


@pytest.mark.parametrize(("name", "known"), [("gemini", "google"), ("zai", "zhipu")])
def test_another_name_of_a_seller_cannot_be_taken(tmp_path: Path, name: str, known: str) -> None:
    assert f"providers.{name}: this is another name of {known}" in faults(
        tmp_path, table(name=name)
    )


@pytest.mark.parametrize("name", ["Acme", '"a b"', '"a/b"', '"ä"', '""', "a" * 65])
def test_names_are_plain(tmp_path: Path, name: str) -> None:
    assert "the name must be 1 to 64 of a-z, 0-9, _ and -" in faults(tmp_path, table(name=name))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme.example.com",
        "ftp://acme.example.com",
        "https://",
        "https:///v1",
        "https://host:port/v1",
        "https://host:99999/v1",
        "https://host name/v1",
        "file:///etc/passwd",
        "https://user:secret@host/v1",
        "https://token@host/v1",
        "https://host/v1?key=secret",
        "https://host/v1#part",
        "https://h" + "o" * 2048 + "st",
    ],
)
def test_a_base_url_is_a_plain_address_without_secrets(tmp_path: Path, url: str) -> None:
    problem = faults(tmp_path, table(f'base_url = "{url}"'))

    assert "providers.acme.base_url: " in problem
    assert "secret" not in problem
    assert "token" not in problem


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/v1", "http://[::1]:8000", "http://vllm:8000/v1", "https://a.b"]
)
def test_private_networks_may_do_without_encryption(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, table(f'base_url = "{url}"')).providers["acme"].base_url == url


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("base_url = 1", "base_url: "),
        ('wire_format = "grpc"', "wire_format: must be one of openai, anthropic, gemini"),
        ('auth_style = "basic"', "auth_style: must be one of bearer"),
        ('key_variables = ["A KEY"]', "key_variables[0]: "),
        ('key_variables = "A_KEY"', "key_variables: "),
        ("key_pattern = '(a+)+'", "key_pattern: must be"),
        ('status_page_url = "status"', "status_page_url: must be an address"),
        ('status_api_url = "https://status"', "acme: status_api_url and status_format go together"),
        ('status_format = "rss"', "acme: status_api_url and status_format go together"),
        ('status_format = "carrier-pigeon"', "status_format: must be one of"),
        ('api_key = "sk-abcdef"', "api_key: Extra inputs are not permitted"),
        ('auth_style = "none"\nkey_variables = ["A"]', "acme: key_variables need an auth_style"),
        ('display_name = ""', "display_name: "),
        ("models = 1", "models: "),
        ("models = [1]", "models[0]: "),
    ],
)
def test_each_field_is_checked(tmp_path: Path, line: str, place: str) -> None:
    problem = faults(tmp_path, table(line))

    assert place in problem
    assert "sk-abcdef" not in problem


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("", "id: Field required"),
        ('id = "a b"', "id: "),
        ('id = ""', "id: "),
        ("id = 1", "id: "),
        ('id = "m"\nmodel = "a b"', "model: "),
        ('id = "m"\nmode = "responses"', "mode: must be one of chat"),
        ('id = "m"\nmax_input_tokens = 0', "max_input_tokens: "),
        ('id = "m"\nmax_input_tokens = 1.5', "max_input_tokens: "),
        ('id = "m"\nmax_output_tokens = true', "max_output_tokens: "),
        ('id = "m"\nmax_output_tokens = 1000000001', "max_output_tokens: "),
        ('id = "m"\ncapabilities = ["flying"]', "capabilities[0]: must be one of tools"),
        ('id = "m"\ncapabilities = "tools"', "capabilities: "),
        ('id = "m"\ninput_modalities = ["smell"]', "input_modalities[0]: must be one of audio"),
        (
            'id = "m"\ncapabilities = ["tools"]\ndenied_capabilities = ["tools"]',
            ": both grants and denies tools",
        ),
        ('id = "m"\nprice = 1', "price: Extra inputs are not permitted"),
    ],
)
def test_each_field_of_a_model_is_checked(tmp_path: Path, line: str, place: str) -> None:
    problem = faults(tmp_path, model(line))

    assert "providers.acme.models[0]" in problem
    assert place in problem


def test_a_model_is_there_once(tmp_path: Path) -> None:
    twice = model('id = "m"') + '[[providers.acme.models]]\nid = "m"\n'

    assert "providers.acme.models: has m more than once" in faults(tmp_path, twice)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    problem = faults(
        tmp_path,
        "other = 1\n"
        + table('wire_format = "x"', name="openai")
        + table("surplus = 1", name="Bad")
        + model('id = "m"', 'mode = "y"')
        + '[[providers.acme.models]]\nid = "m"\nmode = "z"\n',
    )

    assert str(tmp_path / "providers.toml") in problem
    for each in (
        "other: only [providers.NAME] is known",
        "providers.openai: there is a provider of this name",
        "providers.openai.wire_format: ",
        "providers.Bad: the name must be",
        "providers.Bad.surplus: ",
        "providers.acme.models: has m more than once",
        "providers.acme.models[0].mode: ",
        "providers.acme.models[1].mode: ",
    ):
        assert each in problem
    assert len(problem.split("; ")) == 8


def test_a_thousand_faults_are_not_all_shown(tmp_path: Path) -> None:
    many = "models = [" + "1," * 900 + "]"

    assert faults(tmp_path, table(many)).endswith(f"and {900 - MAX_FAULTS} more")


def test_an_empty_file_names_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == CustomProviders(providers={}, offers=())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[providers.acme", "is not TOML: "),
        (b"\xff\xfe", "is not UTF-8"),
        ("#" * (MAX_BYTES + 1), "has more than 1,048,576 bytes"),
        ("x = " + "[" * 100_000, "is nested too deeply"),
        ("providers = 1", "providers: must be tables"),
        ("[providers]\nacme = 1", "providers.acme: "),
        (
            "".join(table(name=f"p{number}") for number in range(MAX_PROVIDERS + 1)),
            "providers: must be at most 100",
        ),
        (
            table("models = [" + '{id = "m"},' * (MAX_MODELS + 1) + "]"),
            "providers.acme.models: List should have at most 1000 items",
        ),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str | bytes, problem: str) -> None:
    assert problem in faults(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CustomProvidersError, match="cannot be read: No such file"):
        read_custom_providers(tmp_path / "none.toml")
    with pytest.raises(CustomProvidersError, match="cannot be read: Is a directory"):
        read_custom_providers(tmp_path)
