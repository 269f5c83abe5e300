"""Where a person opens a document in Xero's own pages."""

from __future__ import annotations

from albacore_pipeline.xero.interface import Kind

PAGES = {
    Kind.INVOICE: "https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID=",
    Kind.CREDIT_NOTE: "https://go.xero.com/AccountsReceivable/ViewCreditNote.aspx?creditNoteID=",
}


def page_of(kind: Kind, document_id: str) -> str:
    """The address of a document's page; whoever opens it logs in there."""
    return PAGES[kind] + document_id
