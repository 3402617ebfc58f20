//! A place in query parameters.

use quenty_kernel::{Failure, Invalid, contact::Text, country::CountryCode, geo::GeoPoint};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::domain::service_area::Place;

/// A country with a postal code, a position, or both.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PlaceQuery {
    #[param(value_type = Option<String>, example = "CO")]
    country: Option<CountryCode>,
    /// Means something together with `country`.
    #[param(value_type = Option<String>, example = "110221")]
    postal_code: Option<Text<20>>,
    /// Degrees of latitude.
    #[param(example = 4.6486)]
    lat: Option<f64>,
    /// Degrees of longitude.
    #[param(example = -74.0995)]
    lng: Option<f64>,
}

impl PlaceQuery {
    pub(super) fn place(&self) -> Result<Place, Failure> {
        place(self.country, self.postal_code.as_ref(), self.lat, self.lng)
    }
}

pub(super) fn place(
    country: Option<CountryCode>,
    postal_code: Option<&Text<20>>,
    lat: Option<f64>,
    lng: Option<f64>,
) -> Result<Place, Failure> {
    let location = match (lat, lng) {
        (Some(lat), Some(lng)) => GeoPoint::new(lat, lng).map(Some),
        (None, None) => Ok(None),
        _ => Err(Invalid::new("position", "needs both lat and lng")),
    };
    let location = location.map_err(Failure::invalid_query)?;
    Ok(Place::new(country, postal_code.map(Text::as_str), location))
}
