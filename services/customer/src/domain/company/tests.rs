use proptest::prelude::*;
use quenty_kernel::Fact;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn details(number: Option<&str>) -> Details {
    Details {
        legal_name: "Café de los Andes S.A.S.".parse().unwrap(),
        trade_name: "Café Andes".parse().unwrap(),
        identification: number
            .map(|number| Identification::new(CountryCode::CO, "NIT", number, Identified::Company).unwrap()),
        size: CompanySize::Small,
        categories: vec!["food".parse().unwrap()],
        currency: Currency::COP,
        time_zone: "America/Bogota".parse().unwrap(),
        language: "es-CO".parse().unwrap(),
        origin: None,
    }
}

fn registered(number: Option<&str>) -> (Company, CompanyFact) {
    Company::register(CompanyKind::Business, CountryCode::CO, details(number), UserId::new(), NOW)
}

fn reviewer() -> Reviewer {
    Reviewer { user_id: UserId::new(), is_member: false }
}

fn reason() -> Text<500> {
    "because".parse().unwrap()
}

const NIT: Option<&str> = Some("860.034.313-7");

#[test]
fn submitting_names_what_is_missing_and_goes_on_once_it_is_there() {
    let (mut company, _) = registered(None);
    let CompanyFact::Submitted(told) = company.submit(NOW).unwrap() else { panic!("another fact") };
    assert_eq!(
        (told.missing, told.standing.status.as_str()),
        (vec!["tax_number".to_owned()], "documents_pending")
    );
    let document = Some(("NIT".to_owned(), "860.034.313-7".to_owned()));
    assert!(
        company
            .update(CompanyChanges { document, ..CompanyChanges::default() }, Side::Company, NOW)
            .unwrap()
            .is_some()
    );
    assert!(company.submit(NOW).is_ok());
    assert_eq!(company.state().status, CompanyStatus::InReview);
}

#[test]
fn an_active_company_may_order_and_ships_abroad_once_verified() {
    let (mut company, _) = registered(NIT);
    assert!(!company.state().standing().may_order);
    let CompanyFact::Approved(told) =
        [company.submit(NOW), company.approve(reviewer(), NOW)].into_iter().last().unwrap().unwrap()
    else {
        panic!("another fact")
    };
    assert!(told.standing.may_order && !told.standing.may_ship_internationally);
    let _ = company.submit_kyc(NOW).unwrap();
    let _ = company.decide_kyc(reviewer(), &KycDecision::Verified, NOW).unwrap();
    assert!(company.state().standing().may_ship_internationally);
    let _ = company.suspend(reviewer(), &reason(), NOW).unwrap();
    assert!(!company.state().standing().may_ship_internationally);
}

#[test]
fn nobody_decides_over_their_own_company() {
    let (mut company, _) = registered(NIT);
    let _ = company.submit(NOW).unwrap();
    let _ = company.submit_kyc(NOW).unwrap();
    let own = [
        Reviewer { user_id: company.state().registered_by, is_member: false },
        Reviewer { user_id: UserId::new(), is_member: true },
    ];
    for by in own {
        assert_eq!(company.approve(by, NOW), Err(CompanyError::OwnCompany));
        assert_eq!(company.reject(by, &reason(), NOW), Err(CompanyError::OwnCompany));
        assert_eq!(company.decide_kyc(by, &KycDecision::Verified, NOW), Err(CompanyError::OwnCompany));
    }
    let _ = company.approve(reviewer(), NOW).unwrap();
    for by in own {
        assert_eq!(company.suspend(by, &reason(), NOW), Err(CompanyError::OwnCompany));
    }
    let _ = company.suspend(reviewer(), &reason(), NOW).unwrap();
    for by in own {
        assert_eq!(company.reactivate(by, NOW), Err(CompanyError::OwnCompany));
    }
}

#[test]
fn a_suspended_company_is_reactivated_never_approved() {
    let (mut company, _) = registered(NIT);
    let _ = company.submit(NOW).unwrap();
    assert_eq!(
        company.reactivate(reviewer(), NOW),
        Err(CompanyError::Illegal { from: "in_review", to: "active" })
    );
    let _ = company.approve(reviewer(), NOW).unwrap();
    let _ = company.suspend(reviewer(), &reason(), NOW).unwrap();
    assert_eq!(
        company.approve(reviewer(), NOW),
        Err(CompanyError::Illegal { from: "suspended", to: "active" })
    );
}

#[test]
fn who_it_is_stays_fixed_once_someone_judges_it() {
    let (mut company, _) = registered(NIT);
    let renamed =
        || CompanyChanges { legal_name: Some("Other".parse().unwrap()), ..CompanyChanges::default() };
    let _ = company.submit_kyc(NOW).unwrap();
    assert_eq!(company.update(renamed(), Side::Company, NOW), Err(CompanyError::IdentityFixed));
    let _ = company.decide_kyc(reviewer(), &KycDecision::Rejected(reason()), NOW).unwrap();
    assert!(company.update(renamed(), Side::Company, NOW).unwrap().is_some());
    let _ = company.submit(NOW).unwrap();
    let again = || CompanyChanges { legal_name: Some("Third".parse().unwrap()), ..CompanyChanges::default() };
    assert_eq!(company.update(again(), Side::Company, NOW), Err(CompanyError::IdentityFixed));
    assert!(company.update(again(), Side::Platform(reviewer()), NOW).unwrap().is_some());
}

#[test]
fn a_rejected_company_mends_who_it_is_though_its_kyc_was_verified() {
    let (mut company, _) = registered(NIT);
    let renamed =
        |name: &str| CompanyChanges { legal_name: Some(name.parse().unwrap()), ..CompanyChanges::default() };
    let _ = company.submit_kyc(NOW).unwrap();
    let _ = company.decide_kyc(reviewer(), &KycDecision::Verified, NOW).unwrap();
    assert_eq!(company.update(renamed("Other"), Side::Company, NOW), Err(CompanyError::IdentityFixed));
    let _ = company.submit(NOW).unwrap();
    let _ = company.reject(reviewer(), &reason(), NOW).unwrap();
    assert!(company.update(renamed("Other"), Side::Company, NOW).unwrap().is_some());
    assert_eq!(company.state().kyc, KycStatus::NotStarted);
    let _ = company.submit_kyc(NOW).unwrap();
    assert_eq!(company.update(renamed("Third"), Side::Company, NOW), Err(CompanyError::IdentityFixed));
}

#[test]
fn a_company_is_of_a_country_that_has_a_document_for_it() {
    let japan: CountryCode = "JP".parse().unwrap();
    assert_eq!(CompanyKind::Business.check_country(japan), Err(CompanyError::CountryNotSupported(japan)));
    for country in ["AR", "BR", "CL", "CO", "MX", "PE", "US"] {
        assert_eq!(CompanyKind::Business.check_country(country.parse().unwrap()), Ok(()), "{country}");
    }
    for country in CountryCode::all() {
        assert_eq!(CompanyKind::Individual.check_country(country), Ok(()), "a passport is of any country");
    }
}

#[test]
fn terms_are_given_by_the_platform_in_the_companys_currency() {
    let (mut company, _) = registered(NIT);
    let limit = |amount: &str, currency| CompanyChanges {
        credit_limit: Some(Some(Money::parse(amount, currency).unwrap())),
        ..CompanyChanges::default()
    };
    assert_eq!(
        company.update(limit("10.00", Currency::COP), Side::Company, NOW),
        Err(CompanyError::TermsGivenByPlatform)
    );
    assert_eq!(
        company.update(limit("10.00", Currency::USD), Side::Platform(reviewer()), NOW),
        Err(CompanyError::CreditLimit)
    );
    assert_eq!(
        company.update(limit("-10.00", Currency::COP), Side::Platform(reviewer()), NOW),
        Err(CompanyError::CreditLimit)
    );
    assert!(
        company.update(limit("10.00", Currency::COP), Side::Platform(reviewer()), NOW).unwrap().is_some()
    );
    let dollars = CompanyChanges { currency: Some(Currency::USD), ..CompanyChanges::default() };
    assert_eq!(
        company.update(dollars, Side::Company, NOW),
        Err(CompanyError::CreditLimitFixesCurrency(Currency::COP))
    );
    let both = CompanyChanges { currency: Some(Currency::USD), ..limit("10.00", Currency::USD) };
    assert!(company.update(both, Side::Platform(reviewer()), NOW).unwrap().is_some());
}

#[test]
fn a_closed_company_changes_no_more() {
    let (mut company, _) = registered(NIT);
    let _ = company.close(&reason(), NOW).unwrap();
    assert_eq!(
        company.update(CompanyChanges::default(), Side::Platform(reviewer()), NOW),
        Err(CompanyError::Closed)
    );
    assert_eq!(company.submit_kyc(NOW), Err(CompanyError::Closed));
    assert_eq!(company.close(&reason(), NOW), Err(CompanyError::Illegal { from: "closed", to: "closed" }));
}

fn step(company: &mut Company, step: u8, now: Timestamp) -> Option<CompanyFact> {
    let renamed = CompanyChanges {
        trade_name: Some(format!("Name {now}").parse().unwrap()),
        ..CompanyChanges::default()
    };
    let document = Some(("NIT".to_owned(), "860.034.313-7".to_owned()));
    let terms =
        CompanyChanges { payment_terms_days: Some(30), origin: Some(None), ..CompanyChanges::default() };
    match step {
        0 => company.update(renamed, Side::Company, now).ok().flatten(),
        1 => company
            .update(CompanyChanges { document, ..CompanyChanges::default() }, Side::Company, now)
            .ok()
            .flatten(),
        2 => company.update(terms, Side::Platform(reviewer()), now).ok().flatten(),
        3 | 4 => company.submit(now).ok(),
        5 | 6 => company.approve(reviewer(), now).ok(),
        7 => company.reject(reviewer(), &reason(), now).ok(),
        8 => company.suspend(reviewer(), &reason(), now).ok(),
        9 => company.reactivate(reviewer(), now).ok(),
        10 => company.submit_kyc(now).ok(),
        11 => company.decide_kyc(reviewer(), &KycDecision::Verified, now).ok(),
        12 => company.decide_kyc(reviewer(), &KycDecision::Rejected(reason()), now).ok(),
        _ => company.close(&reason(), now).ok(),
    }
}

/// The standing that a fact tells, whatever the fact.
fn told(fact: &CompanyFact) -> Standing {
    serde_json::from_value(fact.data().unwrap()["standing"].clone()).unwrap()
}

proptest! {
    #[test]
    fn folding_the_facts_gives_the_company_and_each_tells_its_standing(steps in prop::collection::vec(0..28_u8, 0..40)) {
        let (mut company, first) = registered(None);
        prop_assert_eq!(told(&first), company.state().standing());
        let mut journal = vec![(first, NOW)];
        for (second, kind) in (1..).zip(steps) {
            let now = Timestamp::from_second(second).unwrap();
            // The end comes seldom, or there would be little to see before it.
            if let Some(fact) = step(&mut company, if kind == 27 { 13 } else { kind % 13 }, now) {
                prop_assert_eq!(told(&fact), company.state().standing());
                journal.push((fact, now));
            }
        }
        prop_assert_eq!(company.version(), i64::try_from(journal.len()).unwrap());
        prop_assert_eq!(Company::fold(journal).unwrap(), Some(company));
    }
}
