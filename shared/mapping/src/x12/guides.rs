//! The transaction sets that are read, in versions 004010 and 005010 at once: where the two differ, both orders
//! of segments are taken. How often a segment may repeat is not checked beyond once or several times.

use std::sync::LazyLock;

use super::guide::{Guide, nodes};

/// The guide of a kind of transaction set.
pub(crate) fn guide(kind: &str) -> Option<&'static Guide> {
    GUIDES.iter().find(|guide| guide.kind == kind)
}

/// The kinds that are read.
pub(crate) fn kinds() -> Vec<&'static str> {
    GUIDES.iter().map(|guide| guide.kind).collect()
}

/// Elements that have components wherever they occur, so that a single component has the name of one, too.
pub(crate) fn is_composite(segment: &str, element: usize) -> bool {
    COMPOSITES.contains(&(segment, element))
}

/// Elements that must be there.
pub(crate) fn required(segment: &str) -> &'static [usize] {
    let found = REQUIRED.iter().find(|(id, _)| *id == segment);
    found.map_or(&[], |(_, elements)| *elements)
}

const COMPOSITES: &[(&str, usize)] = &[
    ("AK4", 1),
    ("CTP", 5),
    ("MEA", 4),
    ("N9", 7),
    ("PAM", 3),
    ("POC", 5),
    ("PWK", 8),
    ("QTY", 3),
    ("RCD", 3),
    ("RCD", 5),
    ("RCD", 7),
    ("RCD", 10),
    ("RCD", 13),
    ("RCD", 16),
    ("RCD", 19),
    ("REF", 4),
    ("SLN", 5),
    ("UIT", 1),
];

const REQUIRED: &[(&str, &[usize])] = &[
    ("ACK", &[1]),
    ("AK1", &[1, 2]),
    ("AK2", &[1, 2]),
    ("AK3", &[1, 2]),
    ("AK4", &[1, 3]),
    ("AK5", &[1]),
    ("AK9", &[1, 2, 3, 4]),
    ("AMT", &[1, 2]),
    ("BAK", &[1, 2, 3, 4]),
    ("BCA", &[1, 3, 6]),
    ("BCH", &[1, 2, 3, 6]),
    ("BEG", &[1, 2, 3, 5]),
    ("BIA", &[1, 2, 3, 4]),
    ("BIG", &[1, 2]),
    ("BRA", &[1, 2, 3, 4]),
    ("BSN", &[1, 2, 3, 4]),
    ("CTT", &[1]),
    ("CUR", &[1, 2]),
    ("DTM", &[1]),
    ("FOB", &[1]),
    ("HL", &[1, 3]),
    ("LIN", &[2, 3]),
    ("MAN", &[1, 2]),
    ("N1", &[1]),
    ("N3", &[1]),
    ("N9", &[1]),
    ("PER", &[1]),
    ("PID", &[1]),
    ("POC", &[1, 2]),
    ("PRF", &[1]),
    ("QTY", &[1]),
    ("REF", &[1]),
    ("SAC", &[1]),
    ("SCH", &[1, 2, 5, 6]),
    ("SLN", &[1, 3]),
    ("SN1", &[2, 3]),
    ("TDS", &[1]),
    ("TXI", &[1]),
];

static GUIDES: LazyLock<Vec<Guide>> = LazyLock::new(|| {
    [
        ("810", "IN", Some("IT1"), SET_810),
        ("846", "IB", Some("LIN"), SET_846),
        ("850", "PO", Some("PO1"), SET_850),
        ("855", "PR", Some("PO1"), SET_855),
        ("856", "SH", Some("HL"), SET_856),
        ("860", "PC", Some("POC"), SET_860),
        ("861", "RC", Some("RCD"), SET_861),
        ("865", "CA", Some("POC"), SET_865),
        ("997", "FA", None, SET_997),
    ]
    .into_iter()
    .map(|(kind, group, counted, notation)| Guide {
        kind,
        group,
        counted,
        nodes: nodes(notation),
    })
    .collect()
});

/// Invoice.
const SET_810: &str = "
    BIG! NTE* CUR REF* YNQ* PER* N1*{ N2* N3* N4 REF* PER* DMG } ITD* DTM* FOB PID* MEA* PWK* PKG*
    L7 BAL* INC PAM* CRC LM*{ LQ!* } N9*{ MSG* } V1*{ R4* DTM* } FA1*{ FA2!* }
    IT1*{
        CRC QTY* CUR IT3* TXI* CTP* PAM* MEA* PID*{ MEA* } PWK* PKG* PO4 ITD* REF* YNQ* PER* SDQ*
        DTM* CAD* L7* SR SAC*{ TXI*{ DTM } } SLN*{ DTM REF* PID* SAC* TC2* TXI* }
        N1*{ N2* N3* N4 REF* PER* DMG } LM*{ LQ!* } V1*{ R4* DTM* } FA1*{ FA2!* }
    }
    TDS! TXI* CAD AMT* SAC*{ DTM* TXI*{ DTM } } ISS*{ PID } CTT
";

/// Inventory.
const SET_846: &str = "
    BIA! CUR DTM* REF* PER* MEA* N1*{ N2* N3* N4 REF* PER* } LM*{ LQ!* }
    LIN!*{
        PID* MEA* PKG* DTM* CTP* CUR SAC* REF* PER* SDQ* MAN UIT* CS DD* G53 PCT* LDT* LM*{ LQ!* }
        SLN*{ PID* MEA* PKG* MAN*{ MEA* } }
        QTY*{
            UIT* MEA* LDT* DTM* SCH*{ MEA* } LM*{ LQ!* } LS{ REF*{ DTM* N1 LM*{ LQ!* } } LE! }
        }
        N1*{ N2* N3* N4 REF* PER* }
    }
    CTT
";

/// Purchase order.
const SET_850: &str = "
    BEG! CUR REF* PER* TAX* FOB* CTP* PAM* CSH* TC2* SAC*{ CUR } ITD* DIS* INC DTM*
    LDT*{ QTY* MTX* REF* } LIN* SI* PID* MEA* PWK* PKG* TD1* TD5* TD3* TD4* MAN* PCT* CTB* TXI*
    LDT*{ QTY* MTX* REF* } AMT*{ REF* DTM PCT* FA1*{ FA2!* } } N9*{ DTM* MSG* MTX* PWK* EFI* }
    N1*{
        N2* IN2* N3* N4* NX2* REF* PER* SI* FOB TD1* TD5* TD3* TD4* PKG*
    }
    LM*{ LQ!* }
    SPI*{
        REF* DTM* MSG* MTX* N1*{ N2* N3* N4 REF* G61 MSG* MTX* } CB1*{ REF* DTM* LDT MSG* MTX* }
    }
    ADV*{ DTM* MTX* }
    PO1!*{
        LIN* SI* CUR CN1 PO3* CTP*{ CUR } PAM* MEA* PID*{ MEA* } PWK* PO4* REF* PER* SAC*{ CUR CTP }
        IT8 CSH* ITD* DIS* INC TAX* FOB* SDQ* IT3* DTM* TC2* TD1 TD5* TD3* TD4* PCT* MAN* MSG* MTX*
        SPI* TXI* CTB* QTY*{ SI* } SCH*{ TD1* TD5* TD3* TD4* REF* } PKG*{ MEA* }
        LS{ LDT*{ QTY* MSG MTX* REF* LM*{ LQ!* } } LE! } N9*{ DTM* MEA* MSG* MTX* PWK* EFI* }
        N1*{
            N2* IN2* N3* N4 QTY* NX2* REF* PER* SI* DTM FOB SCH* TD1* TD5* TD3* TD4* PKG*
            LDT*{ MAN* QTY* MSG MTX* REF* }
        }
        SLN*{
            MSG* MTX* SI* PID* PO3* MEA* TC2* ADV* DTM* CTP* PAM* PO4 TAX* N9*{ DTM* MSG* MTX* }
            SAC*{ CUR CTP } QTY*{ SI* } N1*{ N2* IN2* N3* N4 NX2* REF* PER* SI* }
        }
        AMT*{ REF* PCT* } LM*{ LQ!* }
    }
    CTT{ AMT }
";

/// Acknowledgment of a purchase order.
const SET_855: &str = "
    BAK! CUR REF* PER* TAX* FOB* CTP* PAM* CSH SAC*{ CUR } ITD* DIS* INC DTM* LDT* LIN* SI* PID*
    MEA* PWK* PKG* TD1* TD5* TD3* TD4* MAN* TXI* CTB* N9*{ DTM* MSG* MTX* PWK* EFI* }
    N1*{
        N2* IN2* N3* N4 NX2* REF* PER* SI* FOB TD1* TD5* TD3* TD4* PKG* MSG* MTX*
    }
    ADV*{ DTM* MTX* }
    PO1*{
        LIN* SI* CUR PO3* CTP* PAM* MEA* PID*{ MEA* } PWK* PO4* REF* PER* SAC*{ CUR } IT8 CSH* ITD*
        DIS* INC TAX* FOB* SDQ* DTM* LDT* TD1 TD5* TD3* TD4* ACK*{ DTM } MAN* AMT CTB* TXI*
        QTY*{ SI* } PKG*{ MEA* } SCH*{ TD1* TD5* TD3* TD4* REF* } N9*{ DTM* MSG* MTX* PWK* EFI* }
        N1*{
            N2* IN2* N3* N4 NX2* REF* PER* SI* DTM FOB SCH* TD1* TD5* TD3* TD4* QTY* PKG*
        }
        SLN*{
            MSG* MTX* SI* PID* PO3* MEA* CTP* PAM* ACK* SAC*{ CUR } DTM* PO4 TAX* ADV* QTY*{ SI* }
            N9*{ DTM* MSG* MTX* } N1*{ N2* IN2* N3* N4 NX2* REF* PER* SI* }
        }
    }
    CTT{ AMT }
";

/// Ship notice; its levels hang below each other by HL02.
const SET_856: &str = "
    BSN! DTM*
    HL!*{
        LIN SN1 SLN* PRF PO4 PID* MEA* PWK* PKG* TD1* TD5* TD3*{ AT9 } TD4* TSD REF* PER*
        LH1*{ LH2* LH3* LFH* LEP* LH4* LHT* LHR* PER* LHE } CLD*{ REF* DTP } MAN* DTM* FOB PAL
        N1*{ N2* N3* N4 REF* PER* FOB } SDQ* ETD CUR SAC*{ CUR } GF YNQ* LM*{ LQ!* } V1*{ R4* DTM* }
    }
    CTT
";

/// Change of a purchase order by the buyer.
const SET_860: &str = "
    BCH! CUR REF* PER* TAX* FOB* CTP* PAM* CSH* SAC*{ CUR } ITD* DIS* INC DTM*
    LDT*{ QTY* MTX* REF* } LIN* SI* PID* MEA* PWK* PKG* TD1* TD5* TD3* TD4* CTB* MAN* G53* TXI* PCT*
    LDT*{ QTY* MTX* REF* } AMT*{ REF* DTM PCT* FA1*{ FA2!* } } N9*{ DTM* MSG* MTX* PWK* EFI* }
    N1*{
        N2* IN2* N3* N4* NX2* REF* PER* SI* FOB TD1* TD5* TD3* TD4* PKG*
    }
    LM*{ LQ!* }
    SPI*{
        REF* DTM* MSG* MTX* N1*{ N2* N3* N4 REF* G61 MSG* MTX* } CB1*{ REF* DTM* LDT MSG* MTX* }
    }
    ADV*{ DTM* MTX* }
    POC*{
        LIN* SI* CUR CN1 PO3* CTP* PAM* MEA* PID*{ MEA* } PWK* PKG* PO4* REF* PER* SAC*{ CUR } IT8
        CSH* ITD* DIS* INC TAX* FOB* SDQ* DTM* TD1 TD5* TD3* TD4* MAN* PCT* TC2* CTB* TXI* SPI* MSG*
        MTX* QTY*{ SI* } SCH*{ TD1* TD5* TD3* TD4* REF* } N9*{ DTM* MSG* MTX* PWK* EFI* }
        LS{ LDT*{ QTY* MSG MTX* REF* LM*{ LQ!* } } LE! }
        N1*{
            N2* IN2* N3* N4 QTY* NX2* REF* PER* SI* DTM FOB SCH* TD1* TD5* TD3* TD4* PKG*
            LDT*{ MAN* QTY* MSG MTX* REF* }
        }
        SLN*{
            MSG* MTX* SI* PID* PO3* MEA* TC2* SAC*{ CUR } DTM* CTP* PAM* PO4 TAX* ADV* QTY*{ SI* }
            N9*{ DTM* MSG* MTX* } N1*{ N2* IN2* N3* N4 NX2* REF* PER* SI* }
        }
        AMT*{ REF* PCT* } LM*{ LQ!* }
    }
    CTT{ AMT* }
";

/// Receiving advice.
const SET_861: &str = "
    BRA! CUR REF* PER* DTM!* PRF* TD1* TD5* TD3* TD4* MEA* N1*{ N2* N3* N4 REF* PER* FOB }
    LM*{ LQ!* } FA1*{ FA2!* }
    RCD*{
        SN1 CUR LIN* PID* PO4* REF* PER* DTM* PRF* MEA* FOB TD1* TD5* TD3* TD4* SAC* MAN*
        LM*{ LQ!* } SLN*{ PID* NM1 LM*{ LQ!* } } N1*{ N2* N3* N4 REF* PER* FOB } FA1*{ FA2!* }
    }
    CTT
";

/// Answer to a change, or change by the seller.
const SET_865: &str = "
    BCA! CUR REF* PER* TAX* FOB* CTP* PAM* CSH SAC*{ CUR } ITD* DIS* INC DTM* LDT*{ QTY* MTX* } LIN*
    SI* PID* MEA* PWK* PKG* TD1* TD5* TD3* TD4* PCT* MAN* TXI* CTB* G53* LDT*{ QTY* MTX* }
    N9*{ DTM* MSG* MTX* PWK* EFI* }
    N1*{
        N2* IN2* N3* N4 NX2* REF* PER* SI* FOB TD1* TD5* TD3* TD4* PKG* MSG* MTX*
    }
    AMT*{ PCT* } ADV*{ DTM* MTX* } LM*{ LQ!* }
    POC*{
        LIN* SI* CUR PO3* CTP* PAM* MEA* PID*{ MEA* } PWK* PKG* PO4* REF* PER* SAC*{ CUR } IT8 CSH*
        ITD* DIS* INC TAX* FOB* SDQ* DTM* TD1 TD5* TD3* TD4* TXI* PCT* ACK*{ DTM } MAN* SPI* MSG*
        MTX* CTB* LM*{ LQ!* } AMT*{ PCT* } QTY*{ SI* } SCH*{ TD1* TD5* TD3* TD4* REF* }
        LDT*{ QTY* MSG MTX* LM*{ LQ!* } } N9*{ DTM* MSG* MTX* PWK* EFI* }
        N1*{
            N2* IN2* N3* N4 QTY* NX2* REF* PER* SI* DTM FOB SCH* TD1* TD5* TD3* TD4* PKG*
            LDT*{ MAN* QTY* MSG MTX* }
        }
        SLN*{
            MSG* MTX* SI* PID* PO3* MEA* CTP* PAM* ACK* SAC*{ CUR } DTM* PO4 TAX* ADV* QTY*{ SI* }
            N9*{ DTM* MTX* } N1*{ N2* IN2* N3* N4 NX2* REF* PER* SI* }
        }
        PD*{ PDD* }
    }
    CTT{ AMT* }
";

/// Functional acknowledgment.
const SET_997: &str = "
    AK1! AK2*{ AK3*{ AK4* } AK5! } AK9!
";

#[cfg(test)]
mod tests {
    use super::super::guide::Node;
    use super::*;

    fn check(kind: &str, nodes: &[Node]) {
        for (at, node) in nodes.iter().enumerate() {
            assert!((2..=3).contains(&node.id.len()), "{kind} {}", node.id);
            for other in nodes.iter().take(at).filter(|other| other.id == node.id) {
                // Two places of one name share a list.
                assert!(node.many && other.many, "{kind} {} twice", node.id);
                assert_eq!(node.members, other.members, "{kind} {}", node.id);
            }
            check(kind, node.members.as_deref().unwrap_or_default());
        }
    }

    #[test]
    fn no_name_means_two_things_in_one_loop() {
        for guide in GUIDES.iter() {
            assert!(guide.nodes.iter().any(|node| node.mandatory));
            check(guide.kind, &guide.nodes);
            assert!(
                guide
                    .counted
                    .is_none_or(|counted| guide.knows(counted) && guide.knows("CTT"))
            );
        }
        assert_eq!(GUIDES.len(), 9);
    }
}
