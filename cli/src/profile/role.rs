//! What a column is about, guessed by its name: in English, German, Italian, French, Spanish and SAP's own words.

use serde::Serialize;

/// What a column may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    OrderNumber,
    LineNumber,
    Supplier,
    SupplierName,
    Currency,
    OrderDate,
    Item,
    ItemText,
    Quantity,
    QuantityReceived,
    QuantityRejected,
    Unit,
    Price,
    PriceBase,
    LineAmount,
    NeedDate,
    ReceiptNumber,
    ReceiptDate,
    Lot,
    Serial,
    Expiry,
    InvoiceNumber,
    InvoiceDate,
    TaxCode,
    TaxAmount,
    NetAmount,
    GrossAmount,
    ShipmentNumber,
}

/// Names as they are left when everything but letters and digits is taken out of them, in lower case.
const NAMES: [(Role, &[&str]); 28] = [
    (
        Role::OrderNumber,
        &[
            "purchaseorderid",
            "purchaseordernumber",
            "purchaseorderno",
            "purchaseorder",
            "ponumber",
            "pono",
            "ponr",
            "po",
            "ponum",
            "ordernumber",
            "orderno",
            "ordernr",
            "orderid",
            "order",
            "bestellung",
            "bestellnr",
            "bestellnummer",
            "bestellno",
            "bestellnrkopf",
            "ebeln",
            "numeroordine",
            "numordine",
            "nrordine",
            "nordine",
            "ordine",
            "ordineacquisto",
            "oda",
            "numoda",
            "commande",
            "numerocommande",
            "numcommande",
            "ncommande",
            "nocommande",
            "boncommande",
            "pedido",
            "numeropedido",
            "npedido",
            "numpedido",
            "ordencompra",
            "ordendecompra",
        ],
    ),
    (
        Role::LineNumber,
        &[
            "line",
            "lineno",
            "linenumber",
            "linenr",
            "lineid",
            "pos",
            "posnr",
            "position",
            "ebelp",
            "bestellposition",
            "poline",
            "polineno",
            "orderline",
            "purchaseorderdetailid",
            "orderlineid",
            "zeile",
            "zeilennr",
            "riga",
            "nriga",
            "numeroriga",
            "rigaordine",
            "posizione",
            "rigo",
            "ligne",
            "noligne",
            "numeroligne",
            "nligne",
            "linea",
            "numlinea",
            "nlinea",
            "posicion",
        ],
    ),
    (
        Role::Supplier,
        &[
            "supplier",
            "supplierid",
            "supplierno",
            "suppliernumber",
            "suppliercode",
            "vendor",
            "vendorid",
            "vendorno",
            "vendornumber",
            "vendorcode",
            "lieferant",
            "lieferantennr",
            "lieferantennummer",
            "lieferantnr",
            "lifnr",
            "kreditor",
            "kreditorennr",
            "fornitore",
            "codicefornitore",
            "codfornitore",
            "codforn",
            "codfor",
            "idfornitore",
            "fournisseur",
            "codefournisseur",
            "codfournisseur",
            "proveedor",
            "codigoproveedor",
            "codproveedor",
            "businessentityid",
        ],
    ),
    (
        Role::SupplierName,
        &[
            "suppliername",
            "vendorname",
            "ragionesociale",
            "lieferantenname",
            "lieferantname",
            "name1",
            "nomefornitore",
            "descrizionefornitore",
            "nomfournisseur",
            "raisonsociale",
            "nombreproveedor",
            "razonsocial",
        ],
    ),
    (
        Role::Currency,
        &[
            "currency",
            "currencycode",
            "curr",
            "waers",
            "wahrung",
            "divisa",
            "valuta",
            "devise",
            "moneda",
            "monnaie",
        ],
    ),
    (
        Role::OrderDate,
        &[
            "orderdate",
            "podate",
            "orderedon",
            "bestelldatum",
            "bedat",
            "dataordine",
            "dtordine",
            "dataoda",
            "datecommande",
            "datedecommande",
            "fechapedido",
            "fechaorden",
            "auftragsdatum",
        ],
    ),
    (
        Role::Item,
        &[
            "item",
            "itemid",
            "itemcode",
            "itemnumber",
            "material",
            "materialno",
            "materialnr",
            "materialnummer",
            "matnr",
            "article",
            "articleno",
            "articlecode",
            "artikel",
            "artikelnr",
            "artikelnummer",
            "artnr",
            "articolo",
            "codicearticolo",
            "codarticolo",
            "codart",
            "codicearticolofornitore",
            "codearticle",
            "refarticle",
            "articulo",
            "codigoarticulo",
            "product",
            "productid",
            "productno",
            "productcode",
            "productnumber",
            "partno",
            "partnumber",
            "part",
            "partid",
            "sku",
            "teilenummer",
            "teil",
            "teilenr",
            "sachnummer",
            "referencia",
        ],
    ),
    (
        Role::ItemText,
        &[
            "description",
            "itemdescription",
            "itemtext",
            "itemname",
            "productname",
            "descrizione",
            "descrizionearticolo",
            "descarticolo",
            "desart",
            "bezeichnung",
            "artikelbezeichnung",
            "artikeltext",
            "designation",
            "libelle",
            "descripcion",
            "kurztext",
            "txz01",
            "materialtext",
        ],
    ),
    (
        Role::Quantity,
        &[
            "qty",
            "quantity",
            "orderqty",
            "orderedqty",
            "qtyordered",
            "quantityordered",
            "menge",
            "bestellmenge",
            "quantita",
            "qta",
            "qt",
            "qtaordinata",
            "quantitaordinata",
            "qtaord",
            "quantite",
            "qte",
            "qtecommandee",
            "quantitecommandee",
            "cantidad",
            "cant",
            "cantidadpedida",
            "fakturamenge",
            "rechnungsmenge",
            "invoicedqty",
            "qtyinvoiced",
            "qtafatturata",
        ],
    ),
    (
        Role::QuantityReceived,
        &[
            "receivedqty",
            "qtyreceived",
            "quantityreceived",
            "received",
            "wemenge",
            "eingangsmenge",
            "geliefertemenge",
            "liefermenge",
            "erhaltenemenge",
            "quantitaricevuta",
            "qtaricevuta",
            "qtaric",
            "quantitaconsegnata",
            "qtaconsegnata",
            "qtacaricata",
            "quantiterecue",
            "qterecue",
            "cantidadrecibida",
            "cantrecibida",
        ],
    ),
    (
        Role::QuantityRejected,
        &[
            "rejectedqty",
            "qtyrejected",
            "quantityrejected",
            "rejected",
            "ausschuss",
            "ausschussmenge",
            "scartata",
            "qtascartata",
            "quantitascartata",
            "qterefusee",
            "quantiterejetee",
            "cantidadrechazada",
        ],
    ),
    (
        Role::Unit,
        &[
            "unit",
            "uom",
            "unitofmeasure",
            "unitmeasure",
            "unitmeasurecode",
            "um",
            "udm",
            "unitamisura",
            "unitadimisura",
            "umis",
            "unmis",
            "me",
            "meins",
            "bstme",
            "mengeneinheit",
            "einheit",
            "unite",
            "unitemesure",
            "unidad",
            "unidadmedida",
            "ume",
        ],
    ),
    (
        Role::Price,
        &[
            "price",
            "unitprice",
            "netprice",
            "pricenet",
            "purchaseprice",
            "standardprice",
            "lastreceiptcost",
            "prezzo",
            "prezzounitario",
            "prezzonetto",
            "prezzoun",
            "przunit",
            "preis",
            "einzelpreis",
            "netpr",
            "nettopreis",
            "stuckpreis",
            "epreis",
            "prix",
            "prixunitaire",
            "pu",
            "puht",
            "prixunitaireht",
            "precio",
            "preciounitario",
        ],
    ),
    (
        Role::PriceBase,
        &[
            "priceunit",
            "pricebase",
            "per",
            "peinh",
            "pe",
            "preiseinheit",
            "prezzoper",
            "unitaprezzo",
            "parprix",
            "preciopor",
        ],
    ),
    (
        Role::LineAmount,
        &[
            "linetotal",
            "lineamount",
            "amount",
            "netvalue",
            "importo",
            "importoriga",
            "totaleriga",
            "betrag",
            "positionswert",
            "netwr",
            "nettowert",
            "montant",
            "montantligne",
            "importe",
            "importelinea",
        ],
    ),
    (
        Role::NeedDate,
        &[
            "needdate",
            "duedate",
            "deliverydate",
            "requireddate",
            "requestdate",
            "dataconsegna",
            "dataconsegnarichiesta",
            "dtconsegna",
            "consegna",
            "liefertermin",
            "lieferdatum",
            "eindt",
            "wunschtermin",
            "datelivraison",
            "datedelivraison",
            "fechaentrega",
        ],
    ),
    (
        Role::ReceiptNumber,
        &[
            "receipt",
            "receiptno",
            "receiptnumber",
            "receiptid",
            "grn",
            "grnumber",
            "grno",
            "gr",
            "goodsreceipt",
            "wareneingang",
            "wenr",
            "wenummer",
            "materialbeleg",
            "mblnr",
            "bolla",
            "numerobolla",
            "nbolla",
            "bollacarico",
            "ricevimento",
            "nricevimento",
            "carico",
            "bonreception",
            "numeroreception",
            "reception",
            "recepcion",
            "numerorecepcion",
            "entrada",
        ],
    ),
    (
        Role::ReceiptDate,
        &[
            "receiptdate",
            "receiveddate",
            "receivedon",
            "dateofreceipt",
            "wedatum",
            "eingangam",
            "eingangsdatum",
            "wareneingangam",
            "budat",
            "buchungsdatum",
            "databolla",
            "dataricevimento",
            "datacarico",
            "dataentrata",
            "datereception",
            "fecharecepcion",
            "fechaentrada",
        ],
    ),
    (
        Role::Lot,
        &[
            "lot",
            "lotno",
            "lotid",
            "lotnumber",
            "batch",
            "batchno",
            "batchnumber",
            "charge",
            "chargennr",
            "charg",
            "lotto",
            "numerolotto",
            "nlotto",
            "lote",
        ],
    ),
    (
        Role::Serial,
        &[
            "serial",
            "serialno",
            "serialnumber",
            "sernr",
            "seriennummer",
            "seriennr",
            "matricola",
            "numeroserie",
        ],
    ),
    (
        Role::Expiry,
        &[
            "expiry",
            "expirydate",
            "expiration",
            "bestbefore",
            "mhd",
            "haltbarbis",
            "vfdat",
            "scadenza",
            "datascadenza",
            "peremption",
            "caducidad",
        ],
    ),
    (
        Role::InvoiceNumber,
        &[
            "invoice",
            "invoiceno",
            "invoicenumber",
            "invoiceid",
            "rechnung",
            "rechnungsnr",
            "rechnungsnummer",
            "belnr",
            "xblnr",
            "fattura",
            "numerofattura",
            "nfattura",
            "numfattura",
            "facture",
            "numerofacture",
            "nofacture",
            "factura",
            "numerofactura",
        ],
    ),
    (
        Role::InvoiceDate,
        &[
            "invoicedate",
            "rechnungsdatum",
            "bldat",
            "belegdatum",
            "datafattura",
            "datefacture",
            "fechafactura",
        ],
    ),
    (
        Role::TaxCode,
        &[
            "taxcode",
            "vatcode",
            "mwskz",
            "steuerkennzeichen",
            "steuerschlussel",
            "codiceiva",
            "iva",
            "codiva",
            "codetva",
            "tva",
            "codigoiva",
        ],
    ),
    (
        Role::TaxAmount,
        &[
            "taxamount",
            "taxamt",
            "vatamount",
            "steuerbetrag",
            "mwst",
            "mwstbetrag",
            "importoiva",
            "imposta",
            "montanttva",
            "importeiva",
        ],
    ),
    (
        Role::NetAmount,
        &[
            "netamount",
            "subtotal",
            "net",
            "imponibile",
            "nettobetrag",
            "netto",
            "montantht",
            "totalht",
            "baseimponible",
        ],
    ),
    (
        Role::GrossAmount,
        &[
            "grossamount",
            "gross",
            "total",
            "totaldue",
            "invoicetotal",
            "totale",
            "totalefattura",
            "totaledocumento",
            "bruttobetrag",
            "brutto",
            "montantttc",
            "totalttc",
            "totalfactura",
        ],
    ),
    (
        Role::ShipmentNumber,
        &[
            "asn",
            "asnnumber",
            "deliverynote",
            "deliverynoteno",
            "packingslip",
            "lieferschein",
            "lieferscheinnr",
            "lieferscheinnummer",
            "ddt",
            "numeroddt",
            "nddt",
            "documentotrasporto",
            "bonlivraison",
            "bl",
            "numerobl",
            "albaran",
            "numeroalbaran",
        ],
    ),
];

/// What is left of a name.
fn bare(name: &str) -> String {
    let mut bare = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            'à' | 'á' | 'â' | 'ã' | 'ä' => bare.push('a'),
            'è' | 'é' | 'ê' | 'ë' => bare.push('e'),
            'ì' | 'í' | 'î' | 'ï' => bare.push('i'),
            'ò' | 'ó' | 'ô' | 'ö' => bare.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => bare.push('u'),
            'ç' => bare.push('c'),
            'ñ' => bare.push('n'),
            'ß' => bare.push_str("ss"),
            'º' | '°' => {}
            letter if letter.is_alphanumeric() => bare.push(letter),
            _ => {}
        }
    }
    bare
}

/// What a column of this name is probably about, and whether its whole name says so.
pub(crate) fn role(name: &str) -> Option<(Role, bool)> {
    // Of a path its end counts.
    let bare = bare(name.rsplit(['.', '/']).find(|end| !bare(end).is_empty())?);
    let whole = |bare: &str| {
        let found = NAMES.iter().find(|(_, names)| names.contains(&bare));
        found.map(|(role, _)| *role)
    };
    if let Some(role) = whole(&bare) {
        return Some((role, true));
    }
    // `Bestellung Nr. 2026` and `prezzo unitario EUR` begin like one.
    let begins = |known: &&&str| known.len() >= 6 && bare.starts_with(**known);
    let named = NAMES.iter().filter_map(|(role, names)| {
        let longest = names.iter().filter(begins).map(|known| known.len()).max()?;
        Some((longest, *role))
    });
    let longest = named.max_by_key(|(longest, _)| *longest);
    longest.map(|(_, role)| (role, false))
}

/// Whether a column is called like a day.
pub(crate) fn is_called_a_day(name: &str) -> bool {
    let bare = bare(name);
    let days = ["date", "datum", "data", "fecha", "day", "tag", "termin"];
    days.iter().any(|day| bare.contains(day))
        || ["bedat", "eindt", "budat", "bldat"].contains(&bare.as_str())
}

/// Which fact rows of such columns are probably about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Likely {
    Order,
    Receipt,
    Invoice,
}

impl Likely {
    /// The kind of fact, as a feed names it.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::Order => "po.created",
            Self::Receipt => "receipt.posted",
            Self::Invoice => "invoice.received",
        }
    }

    /// What it is called for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Order => "purchase orders",
            Self::Receipt => "goods receipts",
            Self::Invoice => "suppliers' invoices",
        }
    }
}

/// The facts that the columns speak for, the likeliest first.
pub(crate) fn likely(roles: &[Role]) -> Vec<Likely> {
    let has = |role: Role| usize::from(roles.contains(&role));
    let any = |of: &[Role]| usize::from(of.iter().any(|role| roles.contains(role)));
    let quantity = any(&[Role::Quantity, Role::QuantityReceived]);
    let invoice = 4 * has(Role::InvoiceNumber)
        + 3 * has(Role::InvoiceDate)
        + has(Role::TaxAmount)
        + has(Role::GrossAmount)
        + has(Role::NetAmount)
        + has(Role::TaxCode);
    let receipt = 4 * has(Role::ReceiptNumber)
        + 3 * has(Role::ReceiptDate)
        + 2 * has(Role::QuantityReceived)
        + has(Role::ShipmentNumber)
        + any(&[Role::Lot, Role::Expiry, Role::Serial]);
    let order = 2 * has(Role::OrderNumber)
        + 3 * has(Role::OrderDate)
        + has(Role::Supplier)
        + has(Role::Price)
        + has(Role::NeedDate)
        + has(Role::Currency);
    let mut ranked = vec![
        (order, Likely::Order),
        (receipt, Likely::Receipt),
        (invoice, Likely::Invoice),
    ];
    ranked.retain(|(points, _)| *points >= 4 && quantity + has(Role::Item) > 0 || *points >= 7);
    ranked.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
    ranked.into_iter().map(|(_, likely)| likely).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_names_in_several_languages() {
        for (name, wanted) in [
            ("PurchaseOrderID", Role::OrderNumber),
            ("N. Ordine", Role::OrderNumber),
            ("Bestell-Nr.", Role::OrderNumber),
            ("EBELP", Role::LineNumber),
            ("Codice Fornitore", Role::Supplier),
            ("Quantità", Role::Quantity),
            ("Q.tà ordinata", Role::Quantity),
            ("U.M.", Role::Unit),
            ("Prezzo unitario", Role::Price),
            ("Data consegna", Role::NeedDate),
            ("Stückpreis", Role::Price),
            ("Désignation", Role::ItemText),
            ("UnitMeasureCode", Role::Unit),
            ("header.OrderDate", Role::OrderDate),
        ] {
            assert_eq!(role(name).map(|(role, _)| role), Some(wanted), "{name}");
        }
        assert_eq!(role("ModifiedDate"), None);
        assert_eq!(role(""), None);
    }

    #[test]
    fn names_are_written_as_they_are_compared() {
        for (role, names) in NAMES {
            for name in names {
                assert_eq!(&bare(name), name, "{role:?}");
            }
        }
    }

    #[test]
    fn the_fact_follows_from_the_columns() {
        use Role::*;
        let order = [
            OrderNumber,
            LineNumber,
            Supplier,
            OrderDate,
            Item,
            Quantity,
            Price,
        ];
        assert_eq!(likely(&order), [Likely::Order]);
        let receipt = [
            ReceiptNumber,
            ReceiptDate,
            OrderNumber,
            LineNumber,
            Item,
            QuantityReceived,
        ];
        assert_eq!(likely(&receipt), [Likely::Receipt]);
        let invoice = [
            InvoiceNumber,
            InvoiceDate,
            OrderNumber,
            Quantity,
            Price,
            TaxCode,
            Currency,
        ];
        assert_eq!(likely(&invoice).first(), Some(&Likely::Invoice));
        assert_eq!(likely(&[Item, ItemText]), []);
    }
}
