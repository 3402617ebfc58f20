//! What we write to people, in their language: Spanish, Portuguese, or English for all others.

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
    /// A key acts for the person from now on, or has another secret.
    ApiKeyCreated,
    ApiKeyRotated,
    /// Staff gave the person other platform roles.
    RolesChanged,
    /// Somebody else may do everything, too.
    SuperAdminMade,
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
            Self::ApiKeyRotated => "api_key_rotated",
            Self::RolesChanged => "roles_changed",
            Self::SuperAdminMade => "super_admin_made",
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
            | Self::ApiKeyCreated
            | Self::ApiKeyRotated
            | Self::RolesChanged
            | Self::SuperAdminMade => "/login",
        }
    }
}

/// Without a name the reader is greeted by none.
#[must_use]
pub fn compose(kind: MailKind, to: &str, given_name: Option<&str>, language: &str, link: String) -> Mail {
    let (hello, (subject, body)) = match language.split('-').next() {
        Some("es") => ("Hola", in_spanish(kind)),
        Some("pt") => ("Olá", in_portuguese(kind)),
        _ => ("Hello", in_english(kind)),
    };
    let greeting = given_name.map_or_else(|| hello.to_owned(), |name| format!("{hello} {name}"));
    Mail {
        to: to.to_owned(),
        subject: subject.to_owned(),
        text: format!("{greeting},\n\n{body}\n\n{link}\n"),
        kind: kind.as_str().to_owned(),
        link: Some(link),
    }
}

fn in_english(kind: MailKind) -> (&'static str, &'static str) {
    match kind {
        MailKind::Verification => (
            "Confirm your e-mail address",
            "confirm your address with this link and the password that you chose; the link works once, for 24 hours. If you did not register, do nothing.",
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
        MailKind::ApiKeyRotated => (
            "Your API key has another secret",
            "an API key that acts for you was given another secret just now. If that was not you, revoke it, change your password at once and tell the support:",
        ),
        MailKind::RolesChanged => (
            "Your roles at Quenty were changed",
            "your roles in the platform were changed just now; what you may do follows them. If you know of no reason, tell the support:",
        ),
        MailKind::SuperAdminMade => (
            "There is another super_admin",
            "somebody was given the role super_admin just now, or was invited to it, and may do everything that you may. If none of you meant to, suspend that account at once:",
        ),
    }
}

fn in_spanish(kind: MailKind) -> (&'static str, &'static str) {
    match kind {
        MailKind::Verification => (
            "Confirma tu correo",
            "confirma tu correo con este enlace y la contraseña que elegiste; el enlace sirve una sola vez, durante 24 horas. Si no te registraste, no hagas nada.",
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
        MailKind::ApiKeyRotated => (
            "Tu clave de API tiene otro secreto",
            "una clave de API que actúa por ti acaba de recibir otro secreto. Si no fuiste tú, revócala, cambia tu contraseña de inmediato y avisa a soporte:",
        ),
        MailKind::RolesChanged => (
            "Tus roles en Quenty cambiaron",
            "tus roles en la plataforma acaban de cambiar, y con ellos lo que puedes hacer. Si no sabes por qué, avisa a soporte:",
        ),
        MailKind::SuperAdminMade => (
            "Hay otro super_admin",
            "alguien acaba de recibir el rol super_admin, o una invitación a tenerlo, y podrá hacer todo lo que tú puedes. Si ninguno de ustedes lo quiso, suspende esa cuenta de inmediato:",
        ),
    }
}

fn in_portuguese(kind: MailKind) -> (&'static str, &'static str) {
    match kind {
        MailKind::Verification => (
            "Confirme seu e-mail",
            "confirme seu e-mail com este link e a senha que você escolheu; o link funciona uma única vez, por 24 horas. Se você não se cadastrou, não faça nada.",
        ),
        MailKind::Invitation => (
            "Você recebeu um convite para a Quenty",
            "escolha sua senha por este link; ele funciona uma única vez, por 7 dias.",
        ),
        MailKind::CompanyInvitation => (
            "Uma empresa convida você na Quenty",
            "uma empresa convidou você. Entre na sua conta para trabalhar com ela:",
        ),
        MailKind::AlreadyRegistered => (
            "Você já tem uma conta",
            "alguém, provavelmente você, tentou se cadastrar com este e-mail, que já tem uma conta. Entre aqui:",
        ),
        MailKind::PasswordReset => (
            "Escolha outra senha",
            "escolha outra senha por este link; ele funciona uma única vez, por uma hora. Se você não pediu isso, não faça nada: sua senha continua a mesma.",
        ),
        MailKind::PasswordChanged => (
            "Sua senha foi alterada",
            "sua senha acaba de ser alterada. Se não foi você, peça outra aqui imediatamente e avise o suporte:",
        ),
        MailKind::MfaEnabled => (
            "Agora seu login pede um código",
            "a partir de agora um aplicativo autenticador protege sua conta. Guarde bem seus códigos de recuperação. Se não foi você, avise o suporte:",
        ),
        MailKind::MfaDisabled => (
            "Seu login não pede mais um código",
            "seu aplicativo autenticador acaba de ser removido: a senha volta a bastar. Se não foi você, troque-a imediatamente e avise o suporte:",
        ),
        MailKind::RecoveryCodesRenewed => (
            "Você tem novos códigos de recuperação",
            "seus códigos de recuperação acabam de ser substituídos; os anteriores não funcionam mais. Se não foi você, troque sua senha imediatamente e avise o suporte:",
        ),
        MailKind::PasskeyAdded => (
            "Você tem uma nova chave de acesso",
            "uma chave de acesso acaba de ser adicionada à sua conta. Se ela é seu primeiro segundo fator, guarde bem seus códigos de recuperação. Se não foi você, remova-a, troque sua senha imediatamente e avise o suporte:",
        ),
        MailKind::PasskeyRemoved => (
            "Uma chave de acesso foi removida",
            "uma chave de acesso acaba de ser removida da sua conta. Se não foi você, troque sua senha imediatamente e avise o suporte:",
        ),
        MailKind::MfaReset => (
            "Seu segundo fator foi redefinido",
            "nossa equipe acaba de remover seu aplicativo autenticador, suas chaves de acesso e seus códigos de recuperação, e encerrou suas sessões: a senha basta até você configurar outro fator. Se você não pediu isso, troque-a imediatamente e avise o suporte:",
        ),
        MailKind::ApiKeyCreated => (
            "Uma nova chave de API age por você",
            "uma chave de API que age por você acaba de ser criada. Se não foi você, revogue-a, troque sua senha imediatamente e avise o suporte:",
        ),
        MailKind::ApiKeyRotated => (
            "Sua chave de API tem outro segredo",
            "uma chave de API que age por você acaba de receber outro segredo. Se não foi você, revogue-a, troque sua senha imediatamente e avise o suporte:",
        ),
        MailKind::RolesChanged => (
            "Suas funções na Quenty foram alteradas",
            "suas funções na plataforma acabam de ser alteradas, e com elas o que você pode fazer. Se não sabe por quê, avise o suporte:",
        ),
        MailKind::SuperAdminMade => (
            "Há outro super_admin",
            "alguém acaba de receber a função super_admin, ou um convite para ela, e poderá fazer tudo o que você pode. Se nenhum de vocês quis isso, suspenda essa conta imediatamente:",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://x/verify?token=secret";

    fn mail(kind: MailKind, language: &str) -> Mail {
        compose(kind, "ana@example.com", Some("Ana"), language, LINK.to_owned())
    }

    #[test]
    fn a_mail_speaks_the_language_of_its_reader_and_never_shows_its_link_in_a_log() {
        let mail = |language| mail(MailKind::Verification, language);
        assert_eq!(mail("es-CO").subject, "Confirma tu correo");
        assert_eq!(mail("pt-BR").subject, "Confirme seu e-mail");
        assert_eq!(mail("fr").subject, "Confirm your e-mail address");
        for (language, greeting) in [("es", "Hola Ana,\n"), ("pt", "Olá Ana,\n"), ("en-US", "Hello Ana,\n")]
        {
            let text = mail(language).text;
            assert!(text.starts_with(greeting) && text.contains(LINK), "{text}");
        }
        let nameless = compose(MailKind::Invitation, "ana@example.com", None, "pt", LINK.to_owned());
        assert!(nameless.text.starts_with("Olá,\n"), "{}", nameless.text);
        assert_eq!(format!("{:?}", mail("es")), "Mail(verification)");
    }

    #[test]
    fn every_mail_is_written_in_each_language() {
        for kind in [
            MailKind::Verification,
            MailKind::Invitation,
            MailKind::CompanyInvitation,
            MailKind::AlreadyRegistered,
            MailKind::PasswordReset,
            MailKind::PasswordChanged,
            MailKind::MfaEnabled,
            MailKind::MfaDisabled,
            MailKind::RecoveryCodesRenewed,
            MailKind::PasskeyAdded,
            MailKind::PasskeyRemoved,
            MailKind::MfaReset,
            MailKind::ApiKeyCreated,
            MailKind::ApiKeyRotated,
            MailKind::RolesChanged,
            MailKind::SuperAdminMade,
        ] {
            let [spanish, portuguese, english] = ["es", "pt", "en"].map(|language| mail(kind, language));
            for (one, other) in [(&spanish, &portuguese), (&spanish, &english), (&portuguese, &english)] {
                assert!(one.subject != other.subject && one.text != other.text, "{}", one.subject);
            }
        }
    }
}
