//! What the buyer is told at each step, in their language: Spanish, Portuguese, or English for all others.

/// A language that we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Spanish,
    Portuguese,
    English,
}

impl Language {
    fn of(tag: &str) -> Self {
        match tag.split('-').next() {
            Some("es") => Self::Spanish,
            Some("pt") => Self::Portuguese,
            _ => Self::English,
        }
    }
}

/// A mail's subject and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// What is told of one step; nothing for a step that no buyer is told of.
pub(crate) fn compose(step: &str, language: &str, name: &str, merchant: &str, link: &str) -> Option<Notice> {
    let language = Language::of(language);
    let what = sentence(step, language)?;
    let (subject, greeting, follow) = match language {
        Language::Spanish => ("Tu devolución", "Hola", "Síguela aquí:"),
        Language::Portuguese => ("Sua devolução", "Olá", "Acompanhe aqui:"),
        Language::English => ("Your return", "Hello", "Follow it here:"),
    };
    Some(Notice {
        subject: format!("{subject} · {merchant}"),
        text: format!("{greeting} {name},\n\n{what}\n\n{follow}\n{link}\n"),
    })
}

fn sentence(step: &str, language: Language) -> Option<&'static str> {
    let [spanish, portuguese, english] = match step {
        "requested" => [
            "recibimos tu solicitud de devolución.",
            "recebemos o seu pedido de devolução.",
            "we have received your request to return goods.",
        ],
        "approved" => {
            ["tu devolución está aprobada.", "a sua devolução foi aprovada.", "your return is approved."]
        }
        "rejected" => [
            "tu devolución no fue aprobada. En la página ves por qué, y el comercio recibe tus objeciones.",
            "a sua devolução não foi aprovada. Na página você vê por quê, e a loja recebe as suas objeções.",
            "your return was not approved. The page shows why, and the shop takes your objections.",
        ],
        "pickup_scheduled" => [
            "un conductor pasará por el paquete. En la página ves cuándo.",
            "um motorista passará para buscar o pacote. Na página você vê quando.",
            "a driver will come for the parcel. The page shows when.",
        ],
        "pickup_rescheduled" => [
            "el conductor pasará por el paquete a otra hora. En la página ves cuándo.",
            "o motorista passará para buscar o pacote em outro horário. Na página você vê quando.",
            "the driver will come for the parcel at another time. The page shows when.",
        ],
        "pickup_called_off" => [
            "por ahora ningún conductor pasará por el paquete. El comercio busca otra manera.",
            "por enquanto nenhum motorista passará para buscar o pacote. A loja procura outra forma.",
            "for now no driver will come for the parcel. The shop is looking for another way.",
        ],
        "label_issued" => [
            "la etiqueta para enviar el paquete está lista. En la página ves su número.",
            "a etiqueta para enviar o pacote está pronta. Na página você vê o número.",
            "the label for the parcel is ready. The page shows its number.",
        ],
        "label_voided" => [
            "la etiqueta para enviar el paquete ya no es válida. El comercio busca otra manera.",
            "a etiqueta para enviar o pacote não é mais válida. A loja procura outra forma.",
            "the label for the parcel is no longer valid. The shop is looking for another way.",
        ],
        "picked_up" => [
            "el paquete está en camino de vuelta.",
            "o pacote está a caminho de volta.",
            "the parcel is on its way back.",
        ],
        "given_back" => [
            "la transportadora no pudo entregar el paquete y te lo devolvió. El comercio busca otra manera.",
            "a transportadora não conseguiu entregar o pacote e o devolveu a você. A loja procura outra forma.",
            "the carrier could not deliver the parcel and gave it back to you. The shop is looking for another way.",
        ],
        "received" => [
            "el paquete llegó a la bodega.",
            "o pacote chegou ao armazém.",
            "the parcel has arrived at the warehouse.",
        ],
        "inspected" => {
            ["revisamos los productos.", "conferimos os produtos.", "we have looked at the goods."]
        }
        "refunded" => [
            "te devolvimos el dinero. En la página ves cuánto.",
            "devolvemos o seu dinheiro. Na página você vê quanto.",
            "you have been paid back. The page shows how much.",
        ],
        "credited" => [
            "el valor de tu devolución es ahora saldo a favor en la tienda. En la página ves cuánto.",
            "o valor da sua devolução é agora crédito na loja. Na página você vê quanto.",
            "the value of your return is now store credit. The page shows how much.",
        ],
        "exchanged" => [
            "tu producto de reemplazo está pedido.",
            "o seu produto de reposição está encomendado.",
            "your replacement is ordered.",
        ],
        "disposed" => [
            "tu devolución terminó sin reembolso. El comercio responde tus preguntas.",
            "a sua devolução terminou sem reembolso. A loja responde às suas perguntas.",
            "your return has ended without a refund. The shop answers your questions.",
        ],
        "cancelled" => {
            ["tu devolución está cancelada.", "a sua devolução foi cancelada.", "your return is cancelled."]
        }
        "expired" => [
            "tu devolución venció, porque no nos llegó nada. Puedes pedir otra.",
            "a sua devolução expirou, porque nada chegou até nós. Você pode pedir outra.",
            "your return has expired, because nothing reached us. You can ask for another one.",
        ],
        _ => return None,
    };
    Some(match language {
        Language::Spanish => spanish,
        Language::Portuguese => portuguese,
        Language::English => english,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_is_written_to_in_their_language() {
        let told = |language| compose("received", language, "Ana", "Tienda Luz", "https://x/1").unwrap();
        assert_eq!(told("es-CO").subject, "Tu devolución · Tienda Luz");
        assert_eq!(told("pt-BR").subject, "Sua devolução · Tienda Luz");
        assert_eq!(told("fr").subject, "Your return · Tienda Luz");
        assert!(told("es").text.contains("bodega") && told("es").text.contains("https://x/1"));
        assert_eq!(compose("departed", "es", "Ana", "Tienda Luz", "x"), None);
    }

    #[test]
    fn no_mail_sends_a_buyer_to_the_page_for_a_reason_that_it_does_not_show() {
        for (language, why) in [("es", "por qué"), ("pt", "por quê"), ("en", "why")] {
            let told = |step| compose(step, language, "Ana", "Tienda Luz", "https://x/1").unwrap().text;
            assert!(!told("disposed").contains(why), "what was found of the goods is not on the page");
            assert!(told("rejected").contains(why), "the reason of a rejection is");
        }
    }
}
