//! It is decided what becomes of every unit, and what the buyer gets.

use jiff::Timestamp;
use quenty_contracts::returns::{ItemDisposed, ItemRestocked};
use quenty_kernel::{
    Scope,
    contact::Text,
    id::{DispositionId, ReturnId},
    money::{Money, MoneyError},
};
use quenty_platform::Tx;
use sqlx::PgConnection;

use super::{EXCHANGE_TASK, Locked, PlaceExchange, lock, save, terms};
use crate::{
    Error,
    domain::{
        delivered::DeliveredOrder,
        disposition::{Corrections, DispositionOption, Kind, Options, Unit, best, options},
        emissions::{self, DisposedUnit, Leg, Vehicle},
        goods_return::{Processing, ReceivedUnit, Return, Status, UnitDisposition},
        policy::PolicyTerms,
        processing,
        refund::share,
        words::WayBack,
    },
    store::{self, dispositions::Disposition},
};

quenty_kernel::facts! {
    /// The facts of one disposed unit, on its own stream.
    pub(crate) enum ItemFact {
        Restocked(ItemRestocked),
        Disposed(ItemDisposed),
    }
}

/// Another way for a unit than the best one, and why.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) line: u32,
    pub(crate) unit: u32,
    pub(crate) kind: Option<Kind>,
    pub(crate) partner: Option<Text<120>>,
    pub(crate) reason: Option<Text<300>>,
}

/// All ways to use one unit.
#[derive(Debug, Clone)]
pub(crate) struct UnitOptions {
    pub(crate) line: u32,
    pub(crate) unit: u32,
    pub(crate) value: Money,
    pub(crate) options: Options,
}

/// What could become of the inspected units.
pub(crate) async fn disposition_options(
    connection: &mut PgConnection,
    scope: Scope,
    id: ReturnId,
) -> Result<Vec<UnitOptions>, Error> {
    let of = store::returns::find(&mut *connection, scope, id).await?.ok_or(Error::NotFound("return"))?;
    let order = store::delivered::find(&mut *connection, scope, of.order_id()).await?;
    let order = order.ok_or(Error::NotFound("order"))?;
    let policy = store::policies::find(&mut *connection, of.company_id(), Some(of.request.policy_version));
    let terms = policy.await?.ok_or(Error::NotFound("policy"))?.terms;
    weigh(connection, &of, &order, &terms).await
}

async fn weigh(
    connection: &mut PgConnection,
    of: &Return,
    order: &DeliveredOrder,
    terms: &PolicyTerms,
) -> Result<Vec<UnitOptions>, Error> {
    let mut weighed = Vec::new();
    let mut known: Option<(Option<String>, Corrections)> = None;
    for received in &of.units {
        let Some(unit) = unit(received, of, order, terms)? else { continue };
        let category = order.line(received.line).and_then(|line| line.category.clone());
        if known.as_ref().is_none_or(|(of, _)| *of != category) {
            let company = of.company_id();
            let found = store::dispositions::corrections(&mut *connection, company, category.as_deref());
            let found = found.await?;
            known = Some((category, found));
        }
        let none = Corrections::default();
        let corrections = known.as_ref().map_or(&none, |(_, corrections)| corrections);
        weighed.push(UnitOptions {
            line: received.line,
            unit: received.unit,
            value: unit.value,
            options: options(&unit, &terms.costs, corrections)?,
        });
    }
    Ok(weighed)
}

/// An inspected unit as the rules see it.
fn unit(
    received: &ReceivedUnit,
    of: &Return,
    order: &DeliveredOrder,
    terms: &PolicyTerms,
) -> Result<Option<Unit>, Error> {
    let (Some(inspection), Some(line)) = (&received.inspection, order.line(received.line)) else {
        return Ok(None);
    };
    Ok(Some(Unit {
        value: share(line.value.goods, line.quantity, 0, 1)?,
        weight: line.item.unit_weight_grams,
        condition: inspection.found.condition.parse()?,
        working: inspection.found.working,
        complete: inspection.found.complete,
        class: terms.class_of(line.category.as_deref()),
        recalled: of.is_recalled(),
    }))
}

pub(crate) async fn process_return(
    tx: &mut Tx,
    scope: Scope,
    id: ReturnId,
    choices: &[Choice],
) -> Result<Return, Error> {
    let (now, by) = (tx.now(), tx.actor().clone());
    let mut locked = lock(tx, scope, id).await?;
    locked.of.check_may_process()?;
    let terms = terms(tx, &locked.of).await?;
    let weighed = weigh(tx.conn(), &locked.of, &locked.order, &terms).await?;
    let dispositions = choose(&locked, &weighed, choices, now)?;
    let amounts = processing::amounts(&locked.of, &locked.order, &terms)?;
    let values = processing::values(&locked.of, &locked.order)?;
    processing::settle(&mut locked.order, &locked.of, amounts.refund)?;
    let processing = Processing {
        amounts,
        values,
        recovery: recovery(&dispositions, amounts.refund)?,
        units: dispositions.iter().map(UnitDisposition::from).collect(),
        order_returned_whole: locked.order.is_returned_whole(),
    };
    let facts = locked.of.process(processing, &by, now)?;
    save(tx, &mut locked, facts).await?;
    store::dispositions::insert(tx.conn(), &dispositions).await?;
    for disposition in &dispositions {
        tell_item(tx, &locked.of, disposition)?;
    }
    keep_footprint(tx, &locked, &dispositions, &terms, now).await?;
    if locked.of.status == Status::Processed && locked.of.check_may_exchange().is_ok() {
        let task = PlaceExchange { return_id: id };
        tx.enqueue(EXCHANGE_TASK, id.to_string(), Some(locked.of.company_id()), &task)?;
    }
    Ok(locked.of)
}

/// Every unit's one disposition: the best, or what a person wants for a reason.
fn choose(
    locked: &Locked,
    weighed: &[UnitOptions],
    choices: &[Choice],
    now: Timestamp,
) -> Result<Vec<Disposition>, Error> {
    for (index, choice) in choices.iter().enumerate() {
        let is = |other: (u32, u32)| other == (choice.line, choice.unit);
        let named_before = choices.iter().take(index).any(|before| is((before.line, before.unit)));
        if named_before || !weighed.iter().any(|unit| is((unit.line, unit.unit))) {
            return Err(Error::NoSuchChoice { index });
        }
    }
    let mut dispositions = Vec::with_capacity(weighed.len());
    for unit in weighed {
        let mut indexed = choices.iter().enumerate();
        let choice = indexed.find(|(_, choice)| (choice.line, choice.unit) == (unit.line, unit.unit));
        let option = chosen(&unit.options, choice)?;
        dispositions.push(disposition(locked, unit, option, choice.map(|(_, choice)| choice), now)?);
    }
    Ok(dispositions)
}

fn chosen<'a>(
    options: &'a Options,
    choice: Option<(usize, &Choice)>,
) -> Result<&'a DispositionOption, Error> {
    let best = best(options);
    let Some((index, Choice { kind: Some(kind), reason, .. })) = choice else { return Ok(best) };
    let option = options.iter().find(|option| option.kind == *kind).unwrap_or(best);
    if let Some(refusal) = option.refusal {
        return Err(Error::DispositionForbidden { index, kind: *kind, refusal });
    }
    if option.kind != best.kind && reason.is_none() {
        return Err(Error::ReasonRequired { index, best: best.kind });
    }
    Ok(option)
}

fn disposition(
    locked: &Locked,
    unit: &UnitOptions,
    option: &DispositionOption,
    choice: Option<&Choice>,
    now: Timestamp,
) -> Result<Disposition, Error> {
    let line = locked.order.line(unit.line).ok_or(Error::NotFound("order line"))?;
    let received = locked.of.units.iter().find(|of| (of.line, of.unit) == (unit.line, unit.unit));
    let inspection = received.and_then(|of| of.inspection.as_ref()).ok_or(Error::NotFound("inspection"))?;
    Ok(Disposition {
        id: DispositionId::new(),
        company_id: locked.of.company_id(),
        return_id: locked.of.id,
        line: unit.line,
        unit: unit.unit,
        product_id: line.product_id,
        sku: line.sku.clone(),
        category: line.category.clone(),
        kind: option.kind,
        condition: inspection.found.condition.parse()?,
        weight_grams: line.item.unit_weight_grams.get(),
        estimated: option.expected_value,
        uncorrected: option.uncorrected_value,
        cost: option.cost,
        realised: None,
        partner: choice.and_then(|choice| choice.partner.clone()).map(String::from),
        reason: choice.and_then(|choice| choice.reason.clone()).map(String::from),
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

impl From<&Disposition> for UnitDisposition {
    fn from(of: &Disposition) -> Self {
        Self {
            disposition_id: of.id,
            line: of.line,
            unit: of.unit,
            product_id: of.product_id,
            kind: of.kind,
            value: of.estimated,
            cost: of.cost,
            partner: of.partner.clone(),
            reason: of.reason.clone(),
        }
    }
}

fn recovery(dispositions: &[Disposition], of: Money) -> Result<Money, MoneyError> {
    dispositions.iter().try_fold(Money::zero(of.currency()), |sum, disposition| {
        sum.checked_add(disposition.estimated)?.checked_sub(disposition.cost)
    })
}

fn tell_item(tx: &mut Tx, of: &Return, disposition: &Disposition) -> Result<(), Error> {
    let (disposition_id, return_id, order_id) = (disposition.id, of.id, of.order_id());
    let (company_id, product_id) = (of.company_id(), disposition.product_id);
    let (kind, condition) = (disposition.kind.as_str().to_owned(), disposition.condition.as_str().to_owned());
    let fact = if matches!(disposition.kind, Kind::ResellAsNew | Kind::ResellOpenBox) {
        ItemFact::from(ItemRestocked {
            disposition_id,
            return_id,
            order_id,
            company_id,
            product_id,
            sku: disposition.sku.clone(),
            warehouse_id: of.request.warehouse_id,
            batch: None,
            quantity: 1,
            disposition: kind,
            condition,
            value: disposition.estimated,
        })
    } else {
        ItemFact::from(ItemDisposed {
            disposition_id,
            return_id,
            order_id,
            company_id,
            product_id,
            sku: disposition.sku.clone(),
            quantity: 1,
            disposition: kind,
            condition,
            value: disposition.estimated,
            cost: disposition.cost,
            partner: disposition.partner.clone(),
        })
    };
    tx.record(disposition_id, Some(company_id), &fact)?;
    Ok(())
}

async fn keep_footprint(
    tx: &mut Tx,
    locked: &Locked,
    dispositions: &[Disposition],
    terms: &PolicyTerms,
    now: Timestamp,
) -> Result<(), Error> {
    if dispositions.is_empty() {
        return Ok(());
    }
    let Some(factors) = store::factors::in_force(tx.conn(), now).await? else { return Ok(()) };
    let of = &locked.of;
    let way_back = of.booked_way().unwrap_or(WayBack::DropOff);
    let leg = Leg {
        from: of.request.buyer.address.location(),
        to: of.request.destination.address.location(),
        vehicle: Vehicle::of(way_back),
    };
    let mut units = Vec::with_capacity(dispositions.len());
    for disposition in dispositions {
        let line = locked.order.line(disposition.line).ok_or(Error::NotFound("order line"))?;
        units.push(DisposedUnit {
            weight: line.item.unit_weight_grams,
            class: terms.class_of(disposition.category.as_deref()),
            category: disposition.category.clone(),
            kind: disposition.kind,
        });
    }
    let record = emissions::record(&factors, &leg, &units);
    Ok(store::environment::insert(tx.conn(), of.company_id(), of.id, &record, now).await?)
}
