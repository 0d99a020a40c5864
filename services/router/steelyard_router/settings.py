"""Environment of the router."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, SecretStr

from steelyard_common.address import Address
from steelyard_common.settings import AddressSetting, ServiceSettings
from steelyard_router.adapters.platform_keys import OLLAMA


def _checked_base_url(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://, or be empty")
    return url


def _key(variable: str) -> SecretStr | None:
    """Return a field whose variable is the one that providers' own tools use."""
    key: SecretStr | None = Field(default=None, validation_alias=variable)
    return key


class Settings(ServiceSettings):
    """Environment of the router."""

    listener: ClassVar[str] = "router_address"

    router_address: AddressSetting = Address("127.0.0.1", 50054)
    """Where this service listens and is dialled."""

    pricing_address: AddressSetting = Address("127.0.0.1", 50051)
    """Where pricing is dialled."""

    registry_address: AddressSetting = Address("127.0.0.1", 50052)
    """Where the registry is dialled."""

    health_address: AddressSetting = Address("127.0.0.1", 50053)
    """Where health is dialled."""

    router_ask_timeout_seconds: PositiveFloat = 0.1
    """How long a request waits for prices and health before the last known ones are used."""

    router_start_wait_seconds: Annotated[float, Field(ge=0, le=600)] = 30.0
    """How long the start waits for pricing and the registry; then it goes on without."""

    router_decision_days: PositiveInt = 7
    """How long decisions are kept."""

    router_decision_rows: PositiveInt = 20_000
    """How many decisions are kept; the oldest go first."""

    ollama_base_url: Annotated[str, AfterValidator(_checked_base_url)] = ""
    """Where local models are served; empty means that there are none."""

    openai_api_key: SecretStr | None = _key("OPENAI_API_KEY")
    """The platform's key for OpenAI."""

    anthropic_api_key: SecretStr | None = _key("ANTHROPIC_API_KEY")
    """The platform's key for Anthropic."""

    google_api_key: SecretStr | None = _key("GOOGLE_API_KEY")
    """The platform's key for Google."""

    gemini_api_key: SecretStr | None = _key("GEMINI_API_KEY")
    """The platform's key for Google, under its other name."""

    meta_api_key: SecretStr | None = _key("META_API_KEY")
    """The platform's key for Meta."""

    mistral_api_key: SecretStr | None = _key("MISTRAL_API_KEY")
    """The platform's key for Mistral."""

    cohere_api_key: SecretStr | None = _key("COHERE_API_KEY")
    """The platform's key for Cohere."""

    deepseek_api_key: SecretStr | None = _key("DEEPSEEK_API_KEY")
    """The platform's key for DeepSeek."""

    minimax_api_key: SecretStr | None = _key("MINIMAX_API_KEY")
    """The platform's key for MiniMax."""

    qwen_api_key: SecretStr | None = _key("QWEN_API_KEY")
    """The platform's key for Qwen."""

    dashscope_api_key: SecretStr | None = _key("DASHSCOPE_API_KEY")
    """The platform's key for Qwen, under its other name."""

    glm_api_key: SecretStr | None = _key("GLM_API_KEY")
    """The platform's key for Zhipu."""

    zhipu_api_key: SecretStr | None = _key("ZHIPU_API_KEY")
    """The platform's key for Zhipu, under its other name."""

    groq_api_key: SecretStr | None = _key("GROQ_API_KEY")
    """The platform's key for Groq."""

    openrouter_api_key: SecretStr | None = _key("OPENROUTER_API_KEY")
    """The platform's key for OpenRouter."""

    @property
    def platform_keys(self) -> dict[str, SecretStr | None]:
        """Keys by provider; the first of two names wins."""
        return {
            "openai": self.openai_api_key,
            "anthropic": self.anthropic_api_key,
            "google": self.google_api_key or self.gemini_api_key,
            "meta": self.meta_api_key,
            "mistral": self.mistral_api_key,
            "cohere": self.cohere_api_key,
            "deepseek": self.deepseek_api_key,
            "minimax": self.minimax_api_key,
            "qwen": self.qwen_api_key or self.dashscope_api_key,
            "zhipu": self.glm_api_key or self.zhipu_api_key,
            "groq": self.groq_api_key,
            "openrouter": self.openrouter_api_key,
        }

    @property
    def local_providers(self) -> frozenset[str]:
        """Providers without keys that this installation has."""
        return frozenset({OLLAMA} if self.ollama_base_url else ())

    @property
    def decision_age(self) -> timedelta:
        return timedelta(days=self.router_decision_days)
