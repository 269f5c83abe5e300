"""What the organisation in Xero is like: its name, accounts, tax rates and currencies.

Belongs here: the answers that no request changes.
Does not belong here: documents.
"""

from __future__ import annotations

import uuid
from decimal import Decimal

from albacore_sandbox.store import Document
from albacore_sandbox.xero.wire import NO_ID

TENANT_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "sandbox:xero:tenant"))
TENANT_NAME = "Albacore Sandbox"
BASE_CURRENCY = "EUR"
CURRENCIES = {"EUR": "Euro", "NOK": "Norwegian Krone", "USD": "United States Dollar", "GBP": "British Pound"}
BANK_ACCOUNT = "090"
_ACCOUNTS = {
    BANK_ACCOUNT: ("Bank", "BANK", "ASSET"),
    "200": ("Sales", "REVENUE", "REVENUE"),
    "260": ("Other Revenue", "REVENUE", "REVENUE"),
    "610": ("Accounts Receivable", "CURRENT", "ASSET"),
}
TAX_RATES: dict[str, tuple[str, Decimal]] = {
    "OUTPUT2": ("20% (VAT on Income)", Decimal(20)),
    "OUTPUT": ("25% (VAT on Income)", Decimal(25)),
    "RROUTPUT": ("5% (VAT on Income)", Decimal(5)),
    "ZERORATEDOUTPUT": ("Zero Rated Income", Decimal(0)),
    "ECZROUTPUT": ("Zero Rated EC Goods Income", Decimal(0)),
    "EXEMPTOUTPUT": ("Exempt Income", Decimal(0)),
    "NONE": ("No VAT", Decimal(0)),
}


def connections() -> list[Document]:
    """What the identity service says about the organisations that may be used."""
    return [
        {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, "sandbox:xero:connection")),
            "authEventId": NO_ID,
            "tenantId": TENANT_ID,
            "tenantType": "ORGANISATION",
            "tenantName": TENANT_NAME,
        }
    ]


def organisation() -> Document:
    """The organisation."""
    return {
        "OrganisationID": TENANT_ID,
        "Name": TENANT_NAME,
        "LegalName": TENANT_NAME,
        "PaysTax": True,
        "Version": "GLOBAL",
        "OrganisationType": "COMPANY",
        "BaseCurrency": BASE_CURRENCY,
        "CountryCode": "GB",
        "IsDemoCompany": True,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 12,
        "Timezone": "GMTSTANDARDTIME",
        "ShortCode": "!sand",
        "OrganisationEntityType": "COMPANY",
        "Edition": "BUSINESS",
        "Class": "DEMO",
    }


def tax_rates() -> list[Document]:
    """The tax rates."""
    return [
        {
            "Name": name,
            "TaxType": tax_type,
            "Status": "ACTIVE",
            "CanApplyToRevenue": True,
            "CanApplyToExpenses": False,
            "DisplayTaxRate": rate,
            "EffectiveRate": rate,
            "TaxComponents": [{"Name": "VAT", "Rate": rate, "IsCompound": False}],
        }
        for tax_type, (name, rate) in TAX_RATES.items()
    ]


def account_id(code: str) -> str:
    """The id of an account."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox:xero:account:{code}"))


def accounts() -> list[Document]:
    """The chart of accounts."""
    result = []
    for code, (name, kind, category) in _ACCOUNTS.items():
        account = {"AccountID": account_id(code), "Code": code, "Name": name, "Status": "ACTIVE", "Type": kind}
        result.append(account | {"Class": category, "EnablePaymentsToAccount": kind == "BANK"})
    return result


def is_revenue_account(code: str) -> bool:
    """Whether a line may name this account: any of three digits, other than the bank's."""
    return len(code) == 3 and code.isdigit() and code != BANK_ACCOUNT


def bank_account(given: Document) -> Document | None:
    """The account that a payment names, if it is one that takes payments."""
    asked = (given.get("Code"), given.get("AccountID"))
    takes = [a for a in accounts() if a["EnablePaymentsToAccount"] and (a["Code"] in asked or a["AccountID"] in asked)]
    return takes[0] if takes else None


def currencies() -> list[Document]:
    """The currencies that the organisation has subscribed to."""
    return [{"Code": code, "Description": name} for code, name in CURRENCIES.items()]


def branding_themes() -> list[Document]:
    """The looks that an invoice may have."""
    theme_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "sandbox:xero:theme"))
    return [{"BrandingThemeID": theme_id, "Name": "Standard", "SortOrder": 0, "Type": "INVOICE"}]
