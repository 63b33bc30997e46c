//! Who is in the demo: invented people and companies, and what they do in a month.

/// A customer of the bank.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    /// Short name for addresses.
    pub(super) handle: &'static str,
    /// Full name.
    pub(super) name: &'static str,
    /// Telephone number; the range is one that no operator gives out.
    pub(super) phone: &'static str,
    /// Language.
    pub(super) locale: &'static str,
    /// Monthly salary in yuan.
    pub(super) salary_yuan: u128,
    /// Payer of the salary, an index of [`OTHERS`].
    pub(super) employer: usize,
}

/// Somebody with an account at another bank.
#[derive(Debug, Clone, Copy)]
pub(super) struct Other {
    /// Full name.
    pub(super) name: &'static str,
    /// Account number.
    pub(super) account: &'static str,
    /// Which of the other banks.
    pub(super) bank: usize,
    /// What they are paid for; empty for those who only pay.
    pub(super) note: &'static str,
}

pub(super) const PEOPLE: [Person; 8] = [
    Person {
        handle: "lin",
        name: "林晓雯",
        phone: "+8610000000001",
        locale: "zh",
        salary_yuan: 14_800,
        employer: 0,
    },
    Person {
        handle: "chen",
        name: "陈思远",
        phone: "+8610000000002",
        locale: "zh",
        salary_yuan: 22_500,
        employer: 0,
    },
    Person {
        handle: "zhou",
        name: "周国梁",
        phone: "+8610000000003",
        locale: "zh",
        salary_yuan: 9_600,
        employer: 1,
    },
    Person {
        handle: "amara",
        name: "Amara Okafor",
        phone: "+8610000000004",
        locale: "en",
        salary_yuan: 26_000,
        employer: 1,
    },
    Person {
        handle: "he",
        name: "何敏",
        phone: "+8610000000005",
        locale: "zh",
        salary_yuan: 12_300,
        employer: 0,
    },
    Person {
        handle: "wu",
        name: "吴嘉禾",
        phone: "+8610000000006",
        locale: "zh",
        salary_yuan: 17_900,
        employer: 1,
    },
    Person {
        handle: "daniel",
        name: "Daniel Weber",
        phone: "+8610000000007",
        locale: "en",
        salary_yuan: 31_200,
        employer: 0,
    },
    Person {
        handle: "sun",
        name: "孙亦真",
        phone: "+8610000000008",
        locale: "zh",
        salary_yuan: 8_750,
        employer: 1,
    },
];

pub(super) const OTHERS: [Other; 8] = [
    Other { name: "远航科技有限公司", account: "8801200000000432", bank: 0, note: "" },
    Other { name: "海石设计事务所", account: "8802300000000871", bank: 1, note: "" },
    Other { name: "青禾超市", account: "8801200000001206", bank: 0, note: "买菜" },
    Other { name: "城市水务", account: "8802300000000039", bank: 1, note: "水费" },
    Other { name: "山海书店", account: "8801200000003358", bank: 0, note: "书" },
    Other { name: "云栖公寓", account: "8802300000004410", bank: 1, note: "房租" },
    Other { name: "晨光幼儿园", account: "8801200000005527", bank: 0, note: "学费" },
    Other { name: "铁路客运", account: "8802300000006643", bank: 1, note: "车票" },
];
