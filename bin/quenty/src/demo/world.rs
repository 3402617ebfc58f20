//! The demo's world: plausible people, places and goods of Bogotá and beyond. Names are made up of common
//! ones; coordinates are those of real neighbourhoods and cities.

/// What the merchant sells.
pub struct Good {
    pub sku: &'static str,
    pub name: &'static str,
    pub category: &'static str,
    pub price_cop: u32,
    pub weight_grams: u32,
    /// Length, width, height.
    pub size_mm: [u32; 3],
    pub hs_code: &'static str,
}

const fn good(
    sku: &'static str,
    name: &'static str,
    category: &'static str,
    price_cop: u32,
    weight_grams: u32,
    size_mm: [u32; 3],
    hs_code: &'static str,
) -> Good {
    Good { sku, name, category, price_cop, weight_grams, size_mm, hs_code }
}

pub const CATALOGUE: [Good; 12] = [
    good("CAFE-HUILA-500", "Café de origen Huila 500 g", "alimentos", 38_900, 540, [220, 120, 80], "090121"),
    good(
        "CAFE-NARINO-500",
        "Café de origen Nariño 500 g",
        "alimentos",
        42_500,
        540,
        [220, 120, 80],
        "090121",
    ),
    good("PANELA-ORG-1K", "Panela orgánica 1 kg", "alimentos", 14_900, 1_050, [180, 140, 60], "170113"),
    good(
        "MOCHILA-WAYUU",
        "Mochila wayuu tejida a mano",
        "artesanías",
        189_000,
        480,
        [300, 250, 100],
        "420222",
    ),
    good("RUANA-BOYACA", "Ruana de lana virgen de Boyacá", "ropa", 265_000, 1_400, [400, 300, 120], "611011"),
    good(
        "SOMBRERO-VUELTIAO",
        "Sombrero vueltiao 19 vueltas",
        "artesanías",
        320_000,
        350,
        [380, 380, 150],
        "650400",
    ),
    good(
        "CHOCOLATE-SANT-70",
        "Chocolate de Santander 70 % 100 g",
        "alimentos",
        16_800,
        115,
        [180, 90, 15],
        "180632",
    ),
    good("ARETES-FILIGRANA", "Aretes de filigrana de Mompox", "joyería", 145_000, 60, [90, 70, 40], "711311"),
    good(
        "CERAMICA-RAQUIRA",
        "Juego de cerámica de Ráquira, 4 piezas",
        "hogar",
        98_000,
        2_600,
        [350, 350, 200],
        "691200",
    ),
    good("HAMACA-SANJACINTO", "Hamaca de San Jacinto", "hogar", 210_000, 1_800, [420, 320, 140], "630612"),
    good("AREPERA-HIERRO", "Arepera de hierro fundido", "hogar", 76_000, 3_100, [320, 250, 60], "732391"),
    good(
        "ACEITE-AGUACATE-250",
        "Aceite de aguacate 250 ml",
        "alimentos",
        31_500,
        420,
        [200, 70, 70],
        "151590",
    ),
];

pub const GIVEN_NAMES: [&str; 24] = [
    "María",
    "Juan",
    "Camila",
    "Andrés",
    "Valentina",
    "Santiago",
    "Luisa",
    "Felipe",
    "Daniela",
    "Carlos",
    "Paula",
    "Jorge",
    "Natalia",
    "Miguel",
    "Laura",
    "Esteban",
    "Carolina",
    "Ricardo",
    "Isabel",
    "Óscar",
    "Juliana",
    "Héctor",
    "Sofía",
    "Mateo",
];

pub const FAMILY_NAMES: [&str; 24] = [
    "Rodríguez",
    "Gómez",
    "Martínez",
    "López",
    "Hernández",
    "Castro",
    "Moreno",
    "Jiménez",
    "Rojas",
    "Vargas",
    "Suárez",
    "Peña",
    "Torres",
    "Ramírez",
    "Ortiz",
    "Cárdenas",
    "Quintero",
    "Mejía",
    "Restrepo",
    "Salazar",
    "Duarte",
    "Ospina",
    "Bernal",
    "Acosta",
];

/// A place to deliver to.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub city: &'static str,
    pub state: &'static str,
    pub country: &'static str,
    pub postal_code: &'static str,
    pub lat: f64,
    pub lng: f64,
    pub phone_prefix: &'static str,
}

const fn place(
    city: &'static str,
    state: &'static str,
    country: &'static str,
    postal_code: &'static str,
    lat: f64,
    lng: f64,
    phone_prefix: &'static str,
) -> Place {
    Place { city, state, country, postal_code, lat, lng, phone_prefix }
}

pub const AT_HOME: [Place; 12] = [
    place("Bogotá", "Bogotá D.C.", "CO", "110111", 4.6533, -74.0636, "+57310"),
    place("Bogotá", "Bogotá D.C.", "CO", "110121", 4.6980, -74.0333, "+57311"),
    place("Bogotá", "Bogotá D.C.", "CO", "110911", 4.6735, -74.1420, "+57312"),
    place("Medellín", "Antioquia", "CO", "050021", 6.2088, -75.5670, "+57313"),
    place("Medellín", "Antioquia", "CO", "050031", 6.2447, -75.5916, "+57314"),
    place("Cali", "Valle del Cauca", "CO", "760042", 3.4372, -76.5225, "+57315"),
    place("Barranquilla", "Atlántico", "CO", "080001", 10.9878, -74.7889, "+57316"),
    place("Cartagena", "Bolívar", "CO", "130001", 10.4236, -75.5490, "+57317"),
    place("Bucaramanga", "Santander", "CO", "680003", 7.1193, -73.1227, "+57318"),
    place("Pereira", "Risaralda", "CO", "660001", 4.8143, -75.6946, "+57319"),
    place("Manizales", "Caldas", "CO", "170001", 5.0703, -75.5138, "+57320"),
    place("Villavicencio", "Meta", "CO", "500001", 4.1420, -73.6266, "+57321"),
];

pub const ABROAD: [Place; 8] = [
    place("Ciudad de México", "CDMX", "MX", "06700", 19.4194, -99.1617, "+52555"),
    place("Guadalajara", "Jalisco", "MX", "44100", 20.6736, -103.3440, "+52333"),
    place("São Paulo", "SP", "BR", "01310-100", -23.5614, -46.6559, "+55119"),
    place("Lima", "Lima", "PE", "15074", -12.1211, -77.0297, "+51987"),
    place("Santiago", "RM", "CL", "7500000", -33.4263, -70.6110, "+56987"),
    place("Buenos Aires", "CABA", "AR", "C1425", -34.5875, -58.4167, "+54911"),
    place("Miami", "FL", "US", "33130", 25.7663, -80.1960, "+13055"),
    place("Madrid", "Madrid", "ES", "28013", 40.4200, -3.7058, "+34612"),
];

/// From where the merchant sends.
pub struct Store {
    pub name: &'static str,
    pub street: &'static str,
    pub postal_code: &'static str,
    pub lat: f64,
    pub lng: f64,
}

/// The two warehouses, each in an area of its own; the first is the default.
pub const WAREHOUSES: [Store; 2] = [
    Store {
        name: "Bodega Chapinero",
        street: "Calle 63 # 9-45",
        postal_code: "110231",
        lat: 4.6486,
        lng: -74.0628,
    },
    Store {
        name: "Bodega Fontibón",
        street: "Carrera 100 # 22-10",
        postal_code: "110921",
        lat: 4.6735,
        lng: -74.1463,
    },
];

/// Where the drivers collect.
pub struct Area {
    pub name: &'static str,
    /// As [longitude, latitude].
    pub polygon: [[f64; 2]; 5],
}

/// Bogotá, roughly, cut along the Avenida 68.
pub const AREAS: [Area; 2] = [
    Area {
        name: "Bogotá oriente",
        polygon: [[-74.11, 4.47], [-74.01, 4.47], [-73.99, 4.70], [-74.01, 4.84], [-74.11, 4.84]],
    },
    Area {
        name: "Bogotá occidente",
        polygon: [[-74.22, 4.47], [-74.11, 4.47], [-74.11, 4.84], [-74.13, 4.84], [-74.22, 4.68]],
    },
];
