"""What a password must be (SEC-01, SEC-02, SEC-03)."""

import pytest
from argon2 import PasswordHasher, extract_parameters

from workflows import passwords
from workflows.refusals import Refusal

GOOD = [
    "seven zebras danced by the lake",
    "plum-river-lantern-42",
    "窗外下着雨我们在屋里慢慢喝茶聊天到很晚才睡",
    "xk4-Tu9-pw2-Ze7-qh",
    "kjhw8-mpq7a-22zxv-p3nrd",
]

LISTED = [
    "passwordpassword", "Password12345678", "P@ssw0rd-P@ssw0rd", "iloveyou2026forever", "qwertyuiopasdfghjkl",
    "123456789012345", "1234567890123456", "aaaaaaaaaaaaaaaaaa", "abababababababab", "letmeinletmein99",
    "welcome welcome 1",
    "adminadminadmin1", "administrator2026", "111111111111111111", "qwerty123456qwerty", "abcdefghijklmnop",
    "zyxwvutsrqponmlk",
    "superman-superman", "monkeymonkeymonkey", "dragon dragon dragon", "football.baseball",
    "sunshine_princess",
    "trustno1trustno1", "changemechangeme", "login-login-login", "master-master-99", "secretsecret2025!",
    "hellohellohello1",
    "correcthorsebatterystaple", "opensesameopensesame", "woaini1314woaini1314", "1qaz2wsx3edc4rfv",
    "asdfghjklasdfghjkl",
    "zxcvbnmzxcvbnm123", "passwordpassw0rd!!", "starwars-starwars", "internetinternet", "computer computer",
    "whatever whatever!",
    "michael-michael-1", "jennifer_jennifer", "loveloveloveloveyou", "summerwinterspring",
    "mondaytuesdayfriday",
    "defaultdefault1234", "rootrootrootroot12", "test-test-test-test", "guestguestguest99",
    "中国中国中国中国中国中国中国中国",
    "密码密码密码密码密码密码密码密码", "0987654321098765", "iloveyouiloveyou!!",
]  # fmt: skip

FROM_HERE = [
    "wuwei-hospital-2026", "Wuwei Heavy Ion 2026!", "lanzhouheavyion01", "carbon-breast-trial",
    "CarbonIonRadiotherapy",
    "breastcancerstudy", "breast-cancer-2026", "evidentia-evidentia", "Evidentia2026Trial",
    "clinical-trial-nurse",
    "radiotherapy-center", "gansu-wuwei-hospital", "investigator-2026-01", "nurse.wuwei.2026!!",
    "hadron radiation trial",
    "zhang.mei zhang.mei", "ZhangMei-hospital-7", "trastuzumab-letrozole", "recist-ctcae-study-1",
    "武威重离子医院武威重离子医院2026",
    "study-monitor-lanzhou", "participant-patient-1",
]  # fmt: skip


def refused(password: str, *names: str) -> str:
    with pytest.raises(Refusal) as refusal:
        passwords.check(password, names)
    return refusal.value.text("en")


@pytest.mark.req("SEC-02")
@pytest.mark.parametrize("password", GOOD)
def test_long_and_unusual_is_enough(password: str) -> None:
    passwords.check(password, ["zhang.mei", "张梅"])


@pytest.mark.req("SEC-02")
def test_fourteen_characters_are_too_few_and_fifteen_are_enough() -> None:
    assert "at least 15" in refused("zebra-lake-oat")
    passwords.check("zebra-lake-oats")


@pytest.mark.req("SEC-02")
def test_a_long_chinese_passphrase_works_and_the_limit_is_told() -> None:
    phrase = (
        "春眠不觉晓处处闻啼鸟夜来风雨声花落知多少白日依山尽黄河入海流"
        "欲穷千里目更上一层楼床前明月光疑是地上霜举头望山月低头思故乡甲乙丙丁戊"
    )
    assert len(phrase) >= 64
    passwords.check(phrase)
    assert passwords.is_right(passwords.hash_password(phrase), phrase)
    assert "at most 256" in refused("xk4-Tu9-pw2-Ze7-" * 17)


@pytest.mark.req("SEC-02")
def test_nothing_is_cut_off() -> None:
    """Two passwords that are equal in the first 72 bytes are two passwords."""
    common = "x7" * 36
    kept = passwords.hash_password(common + "first")
    assert passwords.is_right(kept, common + "first")
    assert not passwords.is_right(kept, common + "other")


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("password", LISTED)
def test_common_passwords_are_refused_with_a_reason(password: str) -> None:
    assert any(
        word in refused(password) for word in ("common passwords", "run of the keyboard", "different characters")
    )


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("password", FROM_HERE)
def test_words_that_anybody_here_would_guess_are_refused(password: str) -> None:
    refused(password, "zhang.mei", "zhang", "mei")


@pytest.mark.req("SEC-01")
def test_hashes_are_argon2id_with_enough_memory() -> None:
    found = extract_parameters(passwords.hash_password("seven zebras danced"))
    assert (found.type.name, found.memory_cost >= 19 * 1024, found.time_cost >= 2) == ("ID", True, True)


@pytest.mark.req("SEC-01")
def test_weaker_hashes_are_known_as_outdated() -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash("seven zebras danced")
    assert passwords.is_outdated(weaker)
    assert not passwords.is_outdated(passwords.hash_password("seven zebras danced"))


@pytest.mark.parametrize("broken", ["", "not a hash", "$argon2id$broken"])
def test_a_broken_hash_lets_nobody_in(broken: str) -> None:
    assert not passwords.is_right(broken, "anything")


@pytest.mark.req("SIG-04")
def test_look_alike_names_are_one_name() -> None:
    assert passwords.name_key("Ｎurse.Wuwei ") == passwords.name_key("nurse.wuwei")
