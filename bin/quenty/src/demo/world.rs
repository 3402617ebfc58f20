//! The demo's world: plausible people, places and goods of Bogotá and beyond. Names are made up of common
//! ones; coordinates are those of real neighbourhoods and cities.

/// What the merchant sells: SKU, name, category, price in COP, weight in grams, size in mm, HS code.
pub type Good = (&'static str, &'static str, &'static str, u32, u32, [u32; 3], &'static str);

pub const CATALOGUE: [Good; 12] = [
    ("CAFE-HUILA-500", "Café de origen Huila 500 g", "alimentos", 38_900, 540, [220, 120, 80], "090121"),
    ("CAFE-NARINO-500", "Café de origen Nariño 500 g", "alimentos", 42_500, 540, [220, 120, 80], "090121"),
    ("PANELA-ORG-1K", "Panela orgánica 1 kg", "alimentos", 14_900, 1_050, [180, 140, 60], "170113"),
    ("MOCHILA-WAYUU", "Mochila wayuu tejida a mano", "artesanías", 189_000, 480, [300, 250, 100], "420222"),
    ("RUANA-BOYACA", "Ruana de lana virgen de Boyacá", "ropa", 265_000, 1_400, [400, 300, 120], "611011"),
    (
        "SOMBRERO-VUELTIAO",
        "Sombrero vueltiao 19 vueltas",
        "artesanías",
        320_000,
        350,
        [380, 380, 150],
        "650400",
    ),
    (
        "CHOCOLATE-SANT-70",
        "Chocolate de Santander 70 % 100 g",
        "alimentos",
        16_800,
        115,
        [180, 90, 15],
        "180632",
    ),
    ("ARETES-FILIGRANA", "Aretes de filigrana de Mompox", "joyería", 145_000, 60, [90, 70, 40], "711311"),
    (
        "CERAMICA-RAQUIRA",
        "Juego de cerámica de Ráquira, 4 piezas",
        "hogar",
        98_000,
        2_600,
        [350, 350, 200],
        "691200",
    ),
    ("HAMACA-SANJACINTO", "Hamaca de San Jacinto", "hogar", 210_000, 1_800, [420, 320, 140], "630612"),
    ("AREPERA-HIERRO", "Arepera de hierro fundido", "hogar", 76_000, 3_100, [320, 250, 60], "732391"),
    ("ACEITE-AGUACATE-250", "Aceite de aguacate 250 ml", "alimentos", 31_500, 420, [200, 70, 70], "151590"),
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

/// A place to deliver to: city, state, country, postal code, latitude, longitude, phone prefix.
pub type Place = (&'static str, &'static str, &'static str, &'static str, f64, f64, &'static str);

pub const AT_HOME: [Place; 12] = [
    ("Bogotá", "Bogotá D.C.", "CO", "110111", 4.6533, -74.0636, "+57310"),
    ("Bogotá", "Bogotá D.C.", "CO", "110121", 4.6980, -74.0333, "+57311"),
    ("Bogotá", "Bogotá D.C.", "CO", "110911", 4.6735, -74.1420, "+57312"),
    ("Medellín", "Antioquia", "CO", "050021", 6.2088, -75.5670, "+57313"),
    ("Medellín", "Antioquia", "CO", "050031", 6.2447, -75.5916, "+57314"),
    ("Cali", "Valle del Cauca", "CO", "760042", 3.4372, -76.5225, "+57315"),
    ("Barranquilla", "Atlántico", "CO", "080001", 10.9878, -74.7889, "+57316"),
    ("Cartagena", "Bolívar", "CO", "130001", 10.4236, -75.5490, "+57317"),
    ("Bucaramanga", "Santander", "CO", "680003", 7.1193, -73.1227, "+57318"),
    ("Pereira", "Risaralda", "CO", "660001", 4.8143, -75.6946, "+57319"),
    ("Manizales", "Caldas", "CO", "170001", 5.0703, -75.5138, "+57320"),
    ("Villavicencio", "Meta", "CO", "500001", 4.1420, -73.6266, "+57321"),
];

pub const ABROAD: [Place; 8] = [
    ("Ciudad de México", "CDMX", "MX", "06700", 19.4194, -99.1617, "+52555"),
    ("Guadalajara", "Jalisco", "MX", "44100", 20.6736, -103.3440, "+52333"),
    ("São Paulo", "SP", "BR", "01310-100", -23.5614, -46.6559, "+55119"),
    ("Lima", "Lima", "PE", "15074", -12.1211, -77.0297, "+51987"),
    ("Santiago", "RM", "CL", "7500000", -33.4263, -70.6110, "+56987"),
    ("Buenos Aires", "CABA", "AR", "C1425", -34.5875, -58.4167, "+54911"),
    ("Miami", "FL", "US", "33130", 25.7663, -80.1960, "+13055"),
    ("Madrid", "Madrid", "ES", "28013", 40.4200, -3.7058, "+34612"),
];

/// The two warehouses: name, street, postal code, latitude, longitude.
pub const WAREHOUSES: [(&str, &str, &str, f64, f64); 2] = [
    ("Bodega Chapinero", "Calle 63 # 9-45", "110231", 4.6486, -74.0628),
    ("Bodega Fontibón", "Carrera 100 # 22-10", "110921", 4.6735, -74.1463),
];

/// The area that the drivers serve: Bogotá, roughly, as [longitude, latitude].
pub const BOGOTA: [[f64; 2]; 6] =
    [[-74.22, 4.47], [-74.01, 4.47], [-73.99, 4.70], [-74.01, 4.84], [-74.13, 4.84], [-74.22, 4.68]];
