//! Which segments a message has: D.96A and D.01B, both at once where they differ, so that a name does not depend on
//! the directory that a sender follows.
//!
//! UNH and UNT are left out. UNS begins a group, so that amounts of the summary are not taken for those of the header.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::edifact::group::Group;

const ORDERS: &str = "
    BGM DTM* PAI ALI* IMD* FTX* GIR*
    (RFF DTM*)*
    (NAD LOC* FII* (RFF DTM*)* (DOC DTM*)* (CTA COM*)*)*
    (TAX MOA LOC*)*
    (CUX PCD* DTM*)*
    (PAT DTM* PCD (MOA GIR* RJL*)*)*
    (TDT (LOC DTM*)*)*
    (TOD LOC*)*
    (PAC MEA* (PCI RFF DTM* GIN*)*)*
    (EQD HAN* MEA* FTX*)*
    (SCC FTX* RFF* (QTY DTM*)*)*
    (APR DTM* RNG)*
    (ALC ALI* DTM* (QTY RNG) (PCD RNG) (MOA RNG)* (RTE RNG) (TAX MOA)*)*
    (RCS RFF* DTM* FTX*)*
    (DGS FTX* (CTA COM*)*)*
    (LIN PIA* IMD* MEA* QTY* PCD* ALI* DTM* MOA* GIS* GIN* GIR* QVR DOC* PAI MTD* FTX*
        (CCI CAV* MEA*)*
        (PAT DTM* PCD (MOA GIR*)*)*
        (PRI CUX APR* RNG DTM*)*
        (RFF DTM* GIS* MOA*)*
        (PAC MEA* QTY* DTM* (RFF DTM*) (PCI RFF DTM* GIN*)*)*
        (LOC QTY PCD DTM*)*
        (TAX MOA LOC*)*
        (NAD LOC* FII* (RFF DTM*)* (DOC DTM*)* (CTA COM*)*)*
        (ALC ALI* DTM* (QTY RNG) (PCD RNG) (MOA RNG)* (RTE RNG) (TAX MOA)*)*
        (TDT (LOC DTM*)*)*
        (TOD LOC*)*
        (EQD HAN* MEA* FTX*)*
        (SCC FTX* RFF* (QTY DTM*)*)*
        (RCS RFF* DTM* FTX*)*
        (STG (QTY MOA)*)*
        (DGS FTX* (CTA COM*)*)*)*
    (UNS MOA* CNT* (ALC ALI MOA*)*)";

const ORDRSP: &str = "
    BGM DTM* PAI ALI* IMD* FTX* GIR*
    (RFF DTM*)*
    (AJT FTX*)
    (NAD LOC* FII* (RFF DTM*)* (DOC DTM*)* (CTA COM*)*)*
    (TAX MOA LOC*)*
    (CUX PCD* DTM*)*
    (PAT DTM* PCD MOA)*
    (TDT (LOC DTM*)*)*
    (TOD LOC*)*
    (PAC MEA* (PCI RFF DTM* GIN*)*)*
    (EQD HAN* MEA* FTX*)*
    (SCC FTX* RFF* (QTY DTM*)*)*
    (APR DTM* RNG)*
    (ALC ALI* DTM* (QTY RNG) (PCD RNG) (MOA RNG)* (RTE RNG) (TAX MOA)*)*
    (RCS RFF* DTM* FTX*)*
    (LIN PIA* IMD* MEA* QTY* PCD* ALI* DTM* MOA* GIS* GIN* GIR* QVR DOC* PAI MTD* FTX*
        (CCI CAV* MEA*)*
        (PAT DTM* PCD MOA)*
        (AJT FTX*)
        (PRI CUX APR RNG DTM*)*
        (RFF DTM*)*
        (PAC MEA* QTY* DTM* (RFF DTM*) (PCI RFF DTM* GIN*)*)*
        (LOC QTY PCD DTM*)*
        (TAX MOA LOC*)*
        (NAD LOC* FII* (RFF DTM*)* (DOC DTM*)* (CTA COM*)*)*
        (ALC ALI* DTM* (QTY RNG) (PCD RNG) (MOA RNG)* (RTE RNG) (TAX MOA)*)*
        (TDT (LOC DTM*)*)*
        (TOD LOC*)*
        (EQD HAN* MEA* FTX*)*
        (SCC FTX* RFF* (QTY DTM*)*)*
        (RCS RFF* DTM* FTX*)*
        (STG (QTY MOA)*)*)*
    (UNS MOA* CNT* (ALC ALI MOA*)*)";

const DESADV: &str = "
    BGM DTM* ALI* MEA* MOA* CUX*
    (RFF DTM)*
    (NAD LOC* (RFF DTM)* (CTA COM*)*)*
    (TOD LOC* FTX*)*
    (TDT PCD* TMD (LOC DTM*)*)*
    (EQD MEA* SEL* EQA* (HAN FTX*)*)*
    (CPS FTX* QVR*
        (PAC MEA* QTY* (HAN FTX*)*
            (PCI RFF DTM* (GIR DTM*)* (GIN DLM*)* (COD MEA* QTY* PCD*)*)*)*
        (LIN PIA* IMD* MEA* QTY* ALI* GIN* GIR* DLM* DTM* NAD* TDT TMD HAN* FTX* MOA*
            (RFF NAD CTA DTM)*
            (DGS QTY FTX*)*
            (LOC NAD DTM QTY*)*
            (SGP QTY*)*
            (PCI DTM* MEA* QTY (GIN DLM*)* (HAN FTX* GIN*)*)*
            (QVR DTM*)*)*)*
    CNT*";

const INVOIC: &str = "
    BGM DTM* PAI ALI* IMD FTX* LOC* GIS* DGS GIR*
    (RFF DTM* GIR* LOC* MEA* QTY* FTX* MOA* RTE*)*
    (NAD LOC* FII* MOA* (RFF DTM*)* (DOC DTM*)* (CTA COM*)*)*
    (TAX MOA LOC*)*
    (CUX DTM*)*
    (PAT DTM* PCD MOA PAI FII)*
    (TDT TSR (LOC DTM*)* (RFF DTM*)*)*
    (TOD LOC*)*
    (EQD SEL*)*
    (PAC MEA* EQD (PCI RFF DTM* GIN*)*)*
    (ALC ALI* FTX (RFF DTM*)* (QTY RNG) (PCD RNG) (MOA RNG CUX DTM)* (RTE RNG) (TAX MOA)*)*
    (RCS RFF* DTM* FTX*)*
    (AJT FTX*)
    (INP FTX*)
    (LIN PIA* PGI* IMD* MEA* QTY* PCD ALI* DTM* GIN* GIR* QVR EQD FTX* DGS
        (MOA CUX)*
        (PAT DTM* PCD* MOA)*
        (PRI CUX APR RNG DTM*)*
        (RFF DTM*)*
        (PAC MEA* EQD (PCI RFF DTM* GIN*)*)*
        (LOC QTY* DTM*)*
        (TAX MOA* LOC*)*
        (NAD LOC* FII* (RFF DTM*)* (DOC DTM*)* (CTA COM*)*)*
        (ALC ALI* DTM* FTX (QTY RNG) (PCD RNG) (MOA RNG CUX DTM)* (RTE RNG) (TAX MOA*)*)*
        (TDT (LOC DTM*)*)*
        (TOD LOC*)*
        (RCS RFF* DTM* FTX*)*
        (GIS RFF DTM* GIR* LOC* MEA* QTY* FTX* MOA*)*)*
    (UNS CNT* (MOA (RFF DTM*))* (TAX MOA*)* (ALC ALI MOA* FTX)*)";

const RECADV: &str = "
    BGM DTM* ALI* CUX* FTX*
    (RFF DTM GEI* MOA* ALC)*
    (DOC (CDI INP*)*)*
    (NAD LOC* (RFF DTM)* (CTA COM*)*)*
    (TOD (CDI INP*)* (LOC CDI*)*)*
    (TDT DTM* CDI*)*
    (EQD (CDI INP*)* (SEL CDI*)* (EQA (CDI INP*)*)*)*
    (CPS
        (PAC QVR (PCI RFF (CDI INP*)* (GIN (CDI INP*)*)*)*)*
        (LIN PIA* IMD* QTY* QVR* DTM* PRI FTX* NAD*
            (CDI INP*)*
            (DOC (CDI INP*)*)*
            (GIN (CDI INP*)*)*
            (RFF DTM GEI* MOA* ALC)*
            (PCI QTY QVR (CDI INP*)* (GIN (CDI INP*)*)*)*)*)*
    CNT";

// D.96A begins stock with QTY, D.01B with INV.
const INVRPT: &str = "
    BGM FTX* DTM*
    (RFF DTM)*
    (NAD LOC* (RFF DTM)* (CTA COM*)*)*
    (CUX DTM)*
    (CPS (PAC PCI* (QTY GIN* DTM*)*)*)*
    (LIN PIA* IMD* NAD MEA* ALI* LOC* DTM* FTX*
        (RFF DTM)*
        (QTY INV GIN* LOC* DTM* STS* (NAD LOC)* (PRI CUX DTM)* (RFF DTM)*
            (CPS (PAC MEA* QTY* (PCI RFF DTM* GIN*)*)*)*)*
        (INV QTY GIN* LOC* DTM* STS* (NAD LOC)* (PRI CUX DTM)* (RFF DTM)*
            (CPS (PAC MEA* QTY* (PCI RFF DTM* GIN* (GIR DTM*)*)*)*)*)*)*";

const CONTRL: &str = "
    UCI
    (UCM (UCS UCD*)*)*
    (UCF (UCM (UCS UCD*)*)*)*";

/// Messages that are read, and their tables.
pub(crate) static MESSAGES: LazyLock<BTreeMap<&'static str, Group>> = LazyLock::new(|| {
    let tables = [
        ("CONTRL", CONTRL),
        ("DESADV", DESADV),
        ("INVOIC", INVOIC),
        ("INVRPT", INVRPT),
        ("ORDERS", ORDERS),
        ("ORDRSP", ORDRSP),
        ("RECADV", RECADV),
    ];
    tables
        .into_iter()
        .map(|(kind, table)| (kind, Group::read(table)))
        .collect()
});

/// What is known of any other message.
pub(crate) static UNKNOWN: LazyLock<Group> = LazyLock::new(|| Group::read(""));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edifact::group::Slot;

    fn check(group: &Group) {
        let mut tags: Vec<&str> = group.slots.iter().map(Slot::tag).collect();
        tags.sort_unstable();
        let all = tags.len();
        tags.dedup();
        assert_eq!(
            tags.len(),
            all,
            "{}: a segment has two places",
            group.trigger
        );
        for slot in &group.slots {
            assert_eq!(slot.tag().len(), 3);
            assert!(slot.tag().bytes().all(|byte| byte.is_ascii_uppercase()));
            if let Slot::Group(below) = slot {
                check(below);
            }
        }
    }

    #[test]
    fn a_segment_has_one_place_in_its_group() {
        assert_eq!(MESSAGES.len(), 7);
        for group in MESSAGES.values() {
            check(group);
        }
    }

    #[test]
    fn a_table_is_read_to_its_end() {
        let line = MESSAGES.get("ORDERS").and_then(|group| group.slot("LIN"));
        let Some(Slot::Group(line)) = line else {
            panic!("no lines");
        };
        assert!(line.slot("PRI").is_some_and(Slot::repeats));
        assert!(line.slot("QVR").is_some_and(|slot| !slot.repeats()));
        let last = MESSAGES.get("ORDERS").and_then(|group| group.slots.last());
        assert_eq!(last.map(Slot::tag), Some("UNS"));
    }
}
