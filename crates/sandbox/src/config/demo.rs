//! The two invented banks of the default world, and their invented customers.

use crate::config::{AccountState, Behaviour, Customer, OtherBank};
use crate::text;

/// Account number, Chinese name, English name, state, behaviour.
type Row = (&'static str, &'static str, &'static str, AccountState, Behaviour);

fn bank(number: &str, name_zh: &str, name_en: &str, rows: &[Row]) -> OtherBank {
    let customers = rows.iter().map(|(account, name_zh, name_en, state, behaviour)| Customer {
        account: (*account).to_owned(),
        name_zh: (*name_zh).to_owned(),
        name_en: (*name_en).to_owned(),
        state: *state,
        behaviour: *behaviour,
    });
    OtherBank {
        number: text::known_bank(number),
        name_zh: name_zh.to_owned(),
        name_en: name_en.to_owned(),
        customers: customers.collect(),
    }
}

pub(crate) fn jiangnan() -> OtherBank {
    use AccountState::{Closed, Frozen, Open};
    use Behaviour::{Normal, Returns, Silent, Slow};
    bank(
        "102100000099",
        "江南商业银行",
        "Jiangnan Commercial Bank",
        &[
            ("6210990000000001", "陈静", "Chen Jing", Open, Normal),
            ("6210990000000002", "刘洋", "Liu Yang", Open, Normal),
            ("6210990000000003", "江南茶业有限公司", "Jiangnan Tea Ltd", Open, Normal),
            ("6210990000000011", "孙丽", "Sun Li", Closed, Normal),
            ("6210990000000012", "郑强", "Zheng Qiang", Frozen, Normal),
            ("6210990000000021", "周婷", "Zhou Ting", Open, Returns),
            ("6210990000000022", "吴磊", "Wu Lei", Open, Slow),
            ("6210990000000023", "徐敏", "Xu Min", Open, Silent),
        ],
    )
}

pub(crate) fn haihe() -> OtherBank {
    use AccountState::{Closed, Frozen, Open};
    use Behaviour::{Normal, Returns, Silent, Slow};
    bank(
        "103100000026",
        "海河银行",
        "Haihe Bank",
        &[
            ("6210260000000001", "赵雷", "Zhao Lei", Open, Normal),
            ("6210260000000002", "黄敏", "Huang Min", Open, Normal),
            ("6210260000000003", "海河机械有限公司", "Haihe Machinery Ltd", Open, Normal),
            ("6210260000000011", "马超", "Ma Chao", Closed, Normal),
            ("6210260000000012", "胡雪", "Hu Xue", Frozen, Normal),
            ("6210260000000021", "林峰", "Lin Feng", Open, Returns),
            ("6210260000000022", "郭涛", "Guo Tao", Open, Slow),
            ("6210260000000023", "何倩", "He Qian", Open, Silent),
        ],
    )
}
