//! Points and areas on the Earth, in WGS 84.
//!
//! Must never cross the antimeridian: an area there is split at it (RFC 7946, section 3.1.9).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::invalid::Invalid;

/// The mean radius R1 of the IUGG (Moritz, Geodetic Reference System 1980): (2a + b) / 3.
const EARTH_RADIUS_METERS: f64 = 6_371_008.8;
/// Checking that no two edges meet takes the square of it.
const MAX_VERTICES: usize = 1_000;

/// A position in degrees of WGS 84.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "LatLng")]
pub struct GeoPoint {
    /// Latitude in degrees, north is positive.
    #[schema(minimum = -90, maximum = 90, example = 4.6486)]
    lat: f64,
    /// Longitude in degrees, east is positive.
    #[schema(minimum = -180, maximum = 180, example = -74.0995)]
    lng: f64,
}

// Coordinates are finite, so every point equals itself.
impl Eq for GeoPoint {}

#[derive(Deserialize)]
struct LatLng {
    lat: f64,
    lng: f64,
}

impl TryFrom<LatLng> for GeoPoint {
    type Error = Invalid;

    fn try_from(LatLng { lat, lng }: LatLng) -> Result<Self, Invalid> {
        Self::new(lat, lng)
    }
}

impl GeoPoint {
    pub fn new(lat: f64, lng: f64) -> Result<Self, Invalid> {
        if !(-90.0..=90.0).contains(&lat) {
            return Err(Invalid::new("latitude", "must lie between -90 and 90 degrees"));
        }
        if !(-180.0..=180.0).contains(&lng) {
            return Err(Invalid::new("longitude", "must lie between -180 and 180 degrees"));
        }
        Ok(Self { lat, lng })
    }

    #[must_use]
    pub const fn lat(self) -> f64 {
        self.lat
    }

    #[must_use]
    pub const fn lng(self) -> f64 {
        self.lng
    }

    /// The great-circle distance by the haversine formula. The Earth is not a sphere: up to 0.5 % off.
    #[must_use]
    pub fn distance_meters(&self, other: &Self) -> f64 {
        let half_lat = (other.lat - self.lat).to_radians() / 2.0;
        let half_lng = (other.lng - self.lng).to_radians() / 2.0;
        let cosines = self.lat.to_radians().cos() * other.lat.to_radians().cos();
        let haversine = half_lat.sin().powi(2) + cosines * half_lng.sin().powi(2);
        // Between antipodes it may come out a little above 1, where the arc sine has no value.
        2.0 * EARTH_RADIUS_METERS * haversine.min(1.0).sqrt().asin()
    }
}

/// An area: one ring without holes whose edges do not meet. In JSON it is a GeoJSON linear ring,
/// `[lng, lat]` pairs; the last one may repeat the first when read, and does when written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<[f64; 2]>", into = "Vec<[f64; 2]>")]
#[schema(
    value_type = Vec<[f64; 2]>,
    min_items = 3,
    example = json!([[-74.1, 4.6], [-74.0, 4.6], [-74.0, 4.7], [-74.1, 4.7], [-74.1, 4.6]])
)]
pub struct Polygon(Vec<GeoPoint>);

impl TryFrom<Vec<[f64; 2]>> for Polygon {
    type Error = Invalid;

    fn try_from(ring: Vec<[f64; 2]>) -> Result<Self, Invalid> {
        let points = ring.into_iter().map(|[lng, lat]| GeoPoint::new(lat, lng));
        Self::new(points.collect::<Result<_, _>>()?)
    }
}

impl From<Polygon> for Vec<[f64; 2]> {
    fn from(polygon: Polygon) -> Self {
        polygon.0.iter().chain(polygon.0.first()).map(|point| [point.lng, point.lat]).collect()
    }
}

type Edge = (GeoPoint, GeoPoint);

impl Polygon {
    pub fn new(mut ring: Vec<GeoPoint>) -> Result<Self, Invalid> {
        let refuse = |why: &str| Err(Invalid::new("polygon", why));
        if ring.len() > 1 && ring.first() == ring.last() {
            ring.pop();
        }
        if ring.len() < 3 {
            return refuse("must have at least 3 different points");
        }
        if ring.len() > MAX_VERTICES {
            return refuse(&format!("must have at most {MAX_VERTICES} points: simplify its outline"));
        }
        let polygon = Self(ring);
        let edges: Vec<Edge> = polygon.edges().collect();
        if edges.iter().any(|(start, end)| start == end) {
            return refuse("must not repeat a point");
        }
        if edges.iter().any(|(start, end)| (start.lng - end.lng).abs() > 180.0) {
            return refuse("must not cross the antimeridian: split it there");
        }
        if has_no_area(&edges) {
            return refuse("must enclose an area: its points lie on one line");
        }
        if edges_meet(&edges) {
            return refuse("must not touch or cross its own outline");
        }
        Ok(polygon)
    }

    /// The corners, each once.
    #[must_use]
    pub fn points(&self) -> &[GeoPoint] {
        &self.0
    }

    /// Whether the point lies inside, edges taken as straight between longitudes and latitudes.
    /// Of two areas that share an edge, a point on that edge is in exactly one.
    #[must_use]
    pub fn contains(&self, point: GeoPoint) -> bool {
        self.edges().filter(|edge| ray_crosses(point, *edge)).count() % 2 == 1
    }

    #[must_use]
    pub fn bounding_box(&self) -> BoundingBox {
        let lats = || self.0.iter().map(|point| point.lat);
        let lngs = || self.0.iter().map(|point| point.lng);
        BoundingBox {
            south_west: GeoPoint { lat: lats().fold(90.0, f64::min), lng: lngs().fold(180.0, f64::min) },
            north_east: GeoPoint { lat: lats().fold(-90.0, f64::max), lng: lngs().fold(-180.0, f64::max) },
        }
    }

    fn edges(&self) -> impl Iterator<Item = Edge> {
        self.0.iter().copied().zip(self.0.iter().copied().cycle().skip(1))
    }
}

/// The smallest box along meridians and parallels around an area: a cheap test before the exact one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundingBox {
    south_west: GeoPoint,
    north_east: GeoPoint,
}

impl BoundingBox {
    #[must_use]
    pub const fn south_west(self) -> GeoPoint {
        self.south_west
    }

    #[must_use]
    pub const fn north_east(self) -> GeoPoint {
        self.north_east
    }

    #[must_use]
    pub fn contains(self, point: GeoPoint) -> bool {
        (self.south_west.lat..=self.north_east.lat).contains(&point.lat)
            && (self.south_west.lng..=self.north_east.lng).contains(&point.lng)
    }
}

/// Whether a ray from the point to the east crosses the edge; the upper end of an edge is not part of it.
fn ray_crosses(point: GeoPoint, (start, end): Edge) -> bool {
    // Lower end first: neighbours walk a shared edge in opposite directions, and must compute the same crossing.
    let (low, high) = if start.lat <= end.lat { (start, end) } else { (end, start) };
    if point.lat < low.lat || point.lat >= high.lat {
        return false;
    }
    let share = (point.lat - low.lat) / (high.lat - low.lat);
    point.lng < low.lng + share * (high.lng - low.lng)
}

/// Positive when `point` lies to the left of the edge, zero when on its line.
fn side((start, end): Edge, point: GeoPoint) -> f64 {
    (end.lng - start.lng) * (point.lat - start.lat) - (end.lat - start.lat) * (point.lng - start.lng)
}

fn has_no_area(edges: &[Edge]) -> bool {
    edges.first().is_none_or(|first| edges.iter().all(|(point, _)| side(*first, *point) == 0.0))
}

/// Whether two edges that are not neighbours have a point in common.
fn edges_meet(edges: &[Edge]) -> bool {
    edges.iter().enumerate().any(|(index, edge)| {
        // The first and the last edge are neighbours too.
        let end = if index == 0 { edges.len() - 1 } else { edges.len() };
        edges.iter().take(end).skip(index + 2).any(|other| meet(*edge, *other))
    })
}

fn meet(a: Edge, b: Edge) -> bool {
    let [a_start, a_end] = [side(b, a.0), side(b, a.1)];
    let [b_start, b_end] = [side(a, b.0), side(a, b.1)];
    let crosses = a_start * a_end < 0.0 && b_start * b_end < 0.0;
    crosses
        || (a_start == 0.0 && spans(b, a.0))
        || (a_end == 0.0 && spans(b, a.1))
        || (b_start == 0.0 && spans(a, b.0))
        || (b_end == 0.0 && spans(a, b.1))
}

/// Whether a point on the line of the edge lies between its ends.
fn spans((start, end): Edge, point: GeoPoint) -> bool {
    let between = |a: f64, b: f64, value: f64| (a.min(b)..=a.max(b)).contains(&value);
    between(start.lng, end.lng, point.lng) && between(start.lat, end.lat, point.lat)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lng: f64) -> GeoPoint {
        GeoPoint::new(lat, lng).unwrap()
    }

    fn polygon(ring: &[[f64; 2]]) -> Result<Polygon, Invalid> {
        ring.to_vec().try_into()
    }

    fn point() -> impl Strategy<Value = GeoPoint> {
        (-90.0..=90.0, -180.0..=180.0).prop_map(|(lat, lng)| at(lat, lng))
    }

    proptest! {
        #[test]
        fn distance_is_symmetric_and_at_most_half_way_round(a in point(), b in point()) {
            let distance = a.distance_meters(&b);
            prop_assert!((distance - b.distance_meters(&a)).abs() < 1e-6);
            prop_assert!((0.0..=20_015_200.0).contains(&distance));
            prop_assert_eq!(a.distance_meters(&a), 0.0);
        }

        #[test]
        fn neighbours_share_every_point_between_them_once(
            (west, east) in (0.1..0.9, 0.1..0.9), share in 0.0..1.0
        ) {
            // A unit square cut in two by a slanted line; the point lies on or near the cut.
            let left = polygon(&[[0.0, 0.0], [west, 0.0], [east, 1.0], [0.0, 1.0]]).unwrap();
            let right = polygon(&[[west, 0.0], [1.0, 0.0], [1.0, 1.0], [east, 1.0]]).unwrap();
            let on_cut = at(share, west + share * (east - west));
            prop_assert!(left.contains(on_cut) ^ right.contains(on_cut));
        }
    }

    #[test]
    fn known_distances_come_out() {
        let (bogota, medellin) = (at(4.7110, -74.0721), at(6.2442, -75.5812));
        let distance = bogota.distance_meters(&medellin);
        assert!((237_000.0..241_000.0).contains(&distance), "{distance}");
        let quarter = at(0.0, 0.0).distance_meters(&at(90.0, 0.0));
        assert!((quarter - EARTH_RADIUS_METERS * std::f64::consts::FRAC_PI_2).abs() < 1e-6);
        assert!(at(0.0, 179.999).distance_meters(&at(0.0, -179.999)) < 300.0);
    }

    #[test]
    fn positions_off_the_earth_are_refused() {
        for (lat, lng) in
            [(90.1, 0.0), (-90.1, 0.0), (0.0, 180.1), (0.0, -180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY)]
        {
            assert!(GeoPoint::new(lat, lng).is_err(), "{lat} {lng}");
        }
        assert!(serde_json::from_str::<GeoPoint>(r#"{"lat":4.6,"lng":-74.1}"#).is_ok());
        assert!(serde_json::from_str::<GeoPoint>(r#"{"lat":4.6,"lng":-274.1}"#).is_err());
        assert!(serde_json::from_str::<GeoPoint>(r#"{"lat":4.6,"lon":-74.1}"#).is_err());
    }

    #[test]
    fn a_point_is_inside_or_not_in_a_concave_area() {
        let u = polygon(&[
            [0.0, 0.0],
            [3.0, 0.0],
            [3.0, 3.0],
            [2.0, 3.0],
            [2.0, 1.0],
            [1.0, 1.0],
            [1.0, 3.0],
            [0.0, 3.0],
        ])
        .unwrap();
        for (lat, lng, inside) in [
            (0.5, 1.5, true),
            (2.0, 0.5, true),
            (2.0, 2.5, true),
            (2.0, 1.5, false),
            (4.0, 0.5, false),
            (1.0, -1.0, false),
        ] {
            assert_eq!(u.contains(at(lat, lng)), inside, "{lat} {lng}");
        }
        let bounds = u.bounding_box();
        assert_eq!((bounds.south_west(), bounds.north_east()), (at(0.0, 0.0), at(3.0, 3.0)));
        assert!(bounds.contains(at(2.0, 1.5)) && !bounds.contains(at(2.0, 3.1)));
    }

    #[test]
    fn a_ring_may_be_closed_when_read_and_is_closed_when_written() {
        let open: Polygon = serde_json::from_str("[[0,0],[1,0],[1,1]]").unwrap();
        let closed: Polygon = serde_json::from_str("[[0,0],[1,0],[1,1],[0,0]]").unwrap();
        assert_eq!(open, closed);
        assert_eq!(open.points().len(), 3);
        assert_eq!(serde_json::to_string(&open).unwrap(), "[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]");
    }

    #[test]
    fn rings_that_are_no_simple_area_are_refused() {
        let cases: [(&str, &[[f64; 2]]); 8] = [
            ("at least 3", &[]),
            ("at least 3", &[[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]),
            ("repeat a point", &[[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]),
            ("enclose an area", &[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]),
            ("own outline", &[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]),
            ("own outline", &[[0.0, 0.0], [2.0, 0.0], [1.0, 0.0], [1.0, 1.0]]),
            ("antimeridian", &[[179.0, 0.0], [-179.0, 0.0], [-179.0, 1.0], [179.0, 1.0]]),
            ("longitude", &[[0.0, 0.0], [181.0, 0.0], [1.0, 1.0]]),
        ];
        for (why, ring) in cases {
            let error = polygon(ring).unwrap_err().to_string();
            assert!(error.contains(why), "{why}: {error}");
        }
        let round = |count: u32| {
            let turn = move |i: u32| f64::from(i) / f64::from(count) * std::f64::consts::TAU;
            polygon(&(0..count).map(|i| [turn(i).cos(), turn(i).sin()]).collect::<Vec<_>>())
        };
        assert!(round(1_000).is_ok());
        assert!(round(1_001).unwrap_err().to_string().contains("at most 1000"));
    }
}
