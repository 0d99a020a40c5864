"""Where alerts are sent to."""

from pydantic import SecretStr, ValidationInfo, field_validator

from steelyard_common.settings import ServiceSettings
from steelyard_common.webhooks import WebhookTarget, check_webhook_url, webhook_key


class WebhookSettings(ServiceSettings):
    """The part of the environment that is about the webhook."""

    alert_webhook_url: SecretStr = SecretStr("")
    """Gets news of alerts, signed; https, or http to this machine. Empty sends none."""

    alert_webhook_secret: SecretStr = SecretStr("")
    """Key of the signatures: `whsec_` and base64, or at least 24 characters."""

    @property
    def alert_webhook(self) -> WebhookTarget | None:
        """The target; None when alerts are not sent anywhere."""
        url = self.alert_webhook_url.get_secret_value()
        if not url:
            return None
        return WebhookTarget.of(url, self.alert_webhook_secret.get_secret_value())

    @field_validator("alert_webhook_url")
    @classmethod
    def _check_url(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value():
            check_webhook_url(url.get_secret_value())
        return url

    @field_validator("alert_webhook_secret")
    @classmethod
    def _check_secret(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        # A URL that was refused is missing here, and one that is wrong was meant to be used.
        url = info.data.get("alert_webhook_url")
        if url is None or url.get_secret_value() or secret.get_secret_value():
            webhook_key(secret.get_secret_value())
        return secret
