//! A page of the label, drawn in points from its upper left corner.

use super::text::{Encoded, Font, width};
use pdf_writer::{Content, Str};

/// 4 × 6 inches, the roll of every label printer.
pub(in crate::http) const PAGE_WIDTH: f32 = 288.0;
pub(in crate::http) const PAGE_HEIGHT: f32 = 432.0;

/// One dot of a 203 dpi thermal printer (8 to the millimetre). Codes are drawn in whole dots, so that
/// no bar is a dot wider than its twin.
pub(in crate::http) const DOT: f32 = 72.0 / 203.2;

#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Area {
    pub(in crate::http) x: f32,
    pub(in crate::http) y: f32,
    pub(in crate::http) width: f32,
    pub(in crate::http) height: f32,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::http) enum Align {
    Left,
    Center,
    Right,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Style {
    pub(in crate::http) font: Font,
    pub(in crate::http) size: f32,
    pub(in crate::http) align: Align,
    pub(in crate::http) white: bool,
}

impl Style {
    pub(in crate::http) const fn new(font: Font, size: f32) -> Self {
        Self { font, size, align: Align::Left, white: false }
    }

    pub(in crate::http) const fn aligned(self, align: Align) -> Self {
        Self { align, ..self }
    }

    pub(in crate::http) const fn white(self) -> Self {
        Self { white: true, ..self }
    }
}

pub(in crate::http) struct Canvas {
    content: Content,
}

impl Canvas {
    pub(in crate::http) fn new() -> Self {
        Self { content: Content::new() }
    }

    pub(in crate::http) fn finish(self) -> Vec<u8> {
        self.content.finish().into_vec()
    }

    /// Writes a line whose letters stand on `y`; `x` is where it starts, ends or has its middle.
    pub(in crate::http) fn text(&mut self, x: f32, y: f32, style: Style, text: &Encoded) {
        let wide = width(text, style.font, style.size);
        let left = match style.align {
            Align::Left => x,
            Align::Center => x - wide / 2.0,
            Align::Right => x - wide,
        };
        self.content.set_fill_gray(if style.white { 1.0 } else { 0.0 });
        self.content.begin_text().set_font(style.font.resource(), style.size);
        self.content.next_line(left, PAGE_HEIGHT - y).show(Str(text)).end_text();
    }

    pub(in crate::http) fn fill(&mut self, area: Area) {
        self.fill_all([area]);
    }

    /// Fills many areas as one shape, so that neighbours leave no seam.
    pub(in crate::http) fn fill_all(&mut self, areas: impl IntoIterator<Item = Area>) {
        self.content.set_fill_gray(0.0);
        for area in areas {
            self.content.rect(area.x, PAGE_HEIGHT - area.y - area.height, area.width, area.height);
        }
        self.content.fill_nonzero();
    }
}
