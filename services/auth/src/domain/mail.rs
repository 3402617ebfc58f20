//! What we write to people, in their language: Spanish for Spanish speakers, English for the others.

use quenty_mail::Mail;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// Prove that the address is yours.
    Verification,
    /// Choose a password and join.
    Invitation,
    /// A company wants you, and you have an account.
    CompanyInvitation,
    /// Somebody registered with an address that has an account.
    AlreadyRegistered,
    /// Choose another password.
    PasswordReset,
    /// The password is another one now.
    PasswordChanged,
    /// A second factor is asked for, is not any more, or its recovery codes are others.
    MfaEnabled,
    MfaDisabled,
    RecoveryCodesRenewed,
    /// A passkey proves who the person is from now on, or does not any more.
    PasskeyAdded,
    PasskeyRemoved,
    /// Staff took every second factor away.
    MfaReset,
    /// A key acts for the person from now on.
    ApiKeyCreated,
}

impl MailKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Invitation => "invitation",
            Self::CompanyInvitation => "company_invitation",
            Self::AlreadyRegistered => "already_registered",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::MfaEnabled => "mfa_enabled",
            Self::MfaDisabled => "mfa_disabled",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRemoved => "passkey_removed",
            Self::MfaReset => "mfa_reset",
            Self::ApiKeyCreated => "api_key_created",
        }
    }

    /// Where its link leads, below the public URL.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Verification => "/verify-email",
            Self::Invitation => "/accept-invitation",
            Self::PasswordReset => "/reset-password",
            Self::CompanyInvitation
            | Self::AlreadyRegistered
            | Self::PasswordChanged
            | Self::MfaEnabled
            | Self::MfaDisabled
            | Self::RecoveryCodesRenewed
            | Self::PasskeyAdded
            | Self::PasskeyRemoved
            | Self::MfaReset
            | Self::ApiKeyCreated => "/login",
        }
    }
}

#[must_use]
pub fn compose(kind: MailKind, to: &str, given_name: &str, language: &str, link: String) -> Mail {
    let is_spanish = language == "es" || language.starts_with("es-");
    let (subject, body) = if is_spanish { in_spanish(kind) } else { in_english(kind) };
    let greeting = if is_spanish { "Hola" } else { "Hello" };
    Mail {
        to: to.to_owned(),
        subject: subject.to_owned(),
        text: format!("{greeting} {given_name},\n\n{body}\n\n{link}\n"),
        kind: kind.as_str().to_owned(),
        link: Some(link),
    }
}

fn in_english(kind: MailKind) -> (&'static str, &'static str) {
    match kind {
        MailKind::Verification => (
            "Confirm your e-mail address",
            "confirm your address with this link; it works once, for 24 hours. If you did not register, do nothing.",
        ),
        MailKind::Invitation => {
            ("You are invited to Quenty", "choose your password with this link; it works once, for 7 days.")
        }
        MailKind::CompanyInvitation => {
            ("A company invites you on Quenty", "a company has invited you. Log in to work for it:")
        }
        MailKind::AlreadyRegistered => (
            "You have an account already",
            "somebody, probably you, tried to register with this address, which has an account already. Log in here:",
        ),
        MailKind::PasswordReset => (
            "Choose another password",
            "choose another password with this link; it works once, for an hour. If you did not ask for it, do nothing: your password stays.",
        ),
        MailKind::PasswordChanged => (
            "Your password was changed",
            "your password was changed just now. If that was not you, ask for another one here at once, and tell the support:",
        ),
        MailKind::MfaEnabled => (
            "Your logins ask for a code now",
            "an authenticator app protects your account from now on. Keep your recovery codes safe. If that was not you, tell the support:",
        ),
        MailKind::MfaDisabled => (
            "Your logins ask for no code any more",
            "your authenticator app was given up just now: a password is enough again. If that was not you, change it at once and tell the support:",
        ),
        MailKind::RecoveryCodesRenewed => (
            "You have other recovery codes",
            "your recovery codes were replaced just now; those of before work no more. If that was not you, change your password at once and tell the support:",
        ),
        MailKind::PasskeyAdded => (
            "You have a new passkey",
            "a passkey was added to your account just now. If it is your first second factor, keep your recovery codes safe. If that was not you, remove it, change your password at once and tell the support:",
        ),
        MailKind::PasskeyRemoved => (
            "A passkey was removed",
            "a passkey was removed from your account just now. If that was not you, change your password at once and tell the support:",
        ),
        MailKind::MfaReset => (
            "Your second factor was reset",
            "our staff removed your authenticator app, passkeys and recovery codes just now and ended your sessions: a password is enough until you set up another factor. If you did not ask for it, change your password at once and tell the support:",
        ),
        MailKind::ApiKeyCreated => (
            "A new API key acts for you",
            "an API key was made just now that acts for you. If that was not you, revoke it, change your password at once and tell the support:",
        ),
    }
}

fn in_spanish(kind: MailKind) -> (&'static str, &'static str) {
    match kind {
        MailKind::Verification => (
            "Confirma tu correo",
            "confirma tu correo con este enlace; sirve una sola vez, durante 24 horas. Si no te registraste, no hagas nada.",
        ),
        MailKind::Invitation => (
            "Te invitaron a Quenty",
            "elige tu contraseña con este enlace; sirve una sola vez, durante 7 días.",
        ),
        MailKind::CompanyInvitation => (
            "Una empresa te invita en Quenty",
            "una empresa te ha invitado. Inicia sesión para trabajar con ella:",
        ),
        MailKind::AlreadyRegistered => (
            "Ya tienes una cuenta",
            "alguien, probablemente tú, intentó registrarse con este correo, que ya tiene una cuenta. Inicia sesión aquí:",
        ),
        MailKind::PasswordReset => (
            "Elige otra contraseña",
            "elige otra contraseña con este enlace; sirve una sola vez, durante una hora. Si no lo pediste, no hagas nada: tu contraseña sigue igual.",
        ),
        MailKind::PasswordChanged => (
            "Tu contraseña cambió",
            "tu contraseña acaba de cambiar. Si no fuiste tú, pide otra aquí de inmediato y avisa a soporte:",
        ),
        MailKind::MfaEnabled => (
            "Ahora tu inicio de sesión pide un código",
            "desde ahora una aplicación de autenticación protege tu cuenta. Guarda bien tus códigos de recuperación. Si no fuiste tú, avisa a soporte:",
        ),
        MailKind::MfaDisabled => (
            "Tu inicio de sesión ya no pide un código",
            "tu aplicación de autenticación se acaba de retirar: la contraseña vuelve a bastar. Si no fuiste tú, cámbiala de inmediato y avisa a soporte:",
        ),
        MailKind::RecoveryCodesRenewed => (
            "Tienes otros códigos de recuperación",
            "tus códigos de recuperación se acaban de reemplazar; los anteriores ya no sirven. Si no fuiste tú, cambia tu contraseña de inmediato y avisa a soporte:",
        ),
        MailKind::PasskeyAdded => (
            "Tienes una nueva llave de acceso",
            "acaba de añadirse una llave de acceso a tu cuenta. Si es tu primer segundo factor, guarda bien tus códigos de recuperación. Si no fuiste tú, retírala, cambia tu contraseña de inmediato y avisa a soporte:",
        ),
        MailKind::PasskeyRemoved => (
            "Se retiró una llave de acceso",
            "acaba de retirarse una llave de acceso de tu cuenta. Si no fuiste tú, cambia tu contraseña de inmediato y avisa a soporte:",
        ),
        MailKind::MfaReset => (
            "Tu segundo factor se restableció",
            "nuestro equipo acaba de retirar tu aplicación de autenticación, tus llaves de acceso y tus códigos de recuperación, y cerró tus sesiones: la contraseña basta hasta que configures otro factor. Si no lo pediste, cámbiala de inmediato y avisa a soporte:",
        ),
        MailKind::ApiKeyCreated => (
            "Una nueva clave de API actúa por ti",
            "acaba de crearse una clave de API que actúa por ti. Si no fuiste tú, revócala, cambia tu contraseña de inmediato y avisa a soporte:",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_speaks_the_language_of_its_reader_and_never_shows_its_link_in_a_log() {
        let mail = |language| {
            compose(
                MailKind::Verification,
                "ana@example.com",
                "Ana",
                language,
                "https://x/verify?token=secret".to_owned(),
            )
        };
        assert_eq!(mail("es-CO").subject, "Confirma tu correo");
        assert_eq!(mail("pt-BR").subject, "Confirm your e-mail address");
        assert!(mail("es").text.contains("Ana") && mail("es").text.contains("token=secret"));
        assert_eq!(format!("{:?}", mail("es")), "Mail(verification)");
    }
}
