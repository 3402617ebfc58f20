//! What every PDF of ours begins and ends with: pages of one size, Helvetica in two weights.

use pdf_writer::{Finish, Name, Pdf, Rect, Ref, TextStr};

use super::label::text::Font;

const CATALOG: Ref = Ref::new(1);
const TREE: Ref = Ref::new(2);
const INFO: Ref = Ref::new(3);
const REGULAR: Ref = Ref::new(4);
const BOLD: Ref = Ref::new(5);
const FIRST_PAGE: i32 = 6;

/// A PDF being written, page by page. The same pages give the same bytes.
pub(super) struct Document {
    pdf: Pdf,
    size: Rect,
    pages: Vec<Ref>,
    next: i32,
}

impl Document {
    /// Of pages of so many points.
    pub(super) fn new(title: &str, width: f32, height: f32) -> Self {
        let mut pdf = Pdf::new();
        pdf.catalog(CATALOG).pages(TREE).lang(TextStr("es"));
        pdf.document_info(INFO).title(TextStr(title));
        for (id, name) in [(REGULAR, "Helvetica"), (BOLD, "Helvetica-Bold")] {
            pdf.type1_font(id).base_font(Name(name.as_bytes())).encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        Self { pdf, size: Rect::new(0.0, 0.0, width, height), pages: Vec::new(), next: FIRST_PAGE }
    }

    pub(super) fn page(&mut self, drawn: &[u8]) {
        let (id, content) = (Ref::new(self.next), Ref::new(self.next + 1));
        self.next += 2;
        self.pdf.stream(content, drawn);
        let mut page = self.pdf.page(id);
        page.media_box(self.size).parent(TREE).contents(content);
        let mut resources = page.resources();
        resources.fonts().pair(Font::Regular.resource(), REGULAR).pair(Font::Bold.resource(), BOLD);
        resources.finish();
        page.finish();
        self.pages.push(id);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let count = i32::try_from(self.pages.len()).unwrap_or(i32::MAX);
        self.pdf.pages(TREE).kids(self.pages).count(count);
        self.pdf.finish()
    }
}
