"""Automatic replies in many languages, each with the day it names, if any. Written on Tuesday, 3 November 2026."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Reply:
    """Subject, headers and text of an answer that wrote itself."""

    name: str
    subject: str
    text: str
    back: date | None = None
    headers: str = "Auto-Submitted: auto-replied\n"

    @property
    def raw(self) -> str:
        return (
            f"Return-Path: <>\nFrom: Bo Berg <bo.berg@example.org>\nTo: ana@example.com\nSubject: {self.subject}\n"
            f"Date: Tue, 3 Nov 2026 10:00:00 +0100\nMessage-ID: <away@example.org>\nIn-Reply-To: <sent-1@example.com>\n"
            f"{self.headers}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{self.text}\n"
        )


def _day(day: int, month: int = 11, year: int = 2026) -> date:
    return date(year, month, day)


_EXCHANGE = "X-Auto-Response-Suppress: All\nX-MS-Exchange-Inbox-Rules-Loop: bo.berg@example.org\n"
_NONE = ""

REPLIES: tuple[Reply, ...] = (
    Reply("English, back on", "Automatic reply: Hello", "I am out of the office and will be back on Monday, 9 November 2026.", _day(9)),
    Reply("English, month first", "Out of Office: Hello", "Thanks. I'm away until November 12th with limited access to email.", _day(12), _EXCHANGE),
    Reply("English, from and to", "Auto: away", "I am on leave from 2 November to 16 November. I will return to the office on 17 November.", _day(17)),
    Reply("English, next year", "Out of office", "I'm on parental leave and will return on January 11.", _day(11, 1, 2027)),
    Reply("English, numbers", "Automatic reply: Hello", "I am out of the office, returning 11/30/2026. For urgent matters call +1 555 010 1234.", _day(30)),
    Reply("English, weekday", "Automatic reply: Hello", "I am travelling and will be back on Monday.", _day(9)),
    Reply("English, tomorrow", "Automatic reply: Hello", "Out today, back tomorrow.", _day(4)),
    Reply("English, no date", "Automatic reply: Hello", "I am not reading mail. For urgent things write to cy@example.org."),
    Reply("English, a date that is not the return", "Automatic reply: Hello", "Since 2 October 2026 I no longer work here."),
    Reply("English, range", "Automatic reply: Hello", "I will be travelling for work on November 10-21 and will respond as soon as I can.", _day(21)),
    Reply("ticket", "[#4711] We have received your request", "Thank you, we will answer soon."),
    Reply("vacation of old", "away from my mail", "I will be back on December 1st.", _day(1, 12), "Precedence: bulk\nX-Mailer: vacation 1.2\n"),
    Reply("autoresponder by its header", "Re: Hello", "Thanks, back on 5 Nov.", _day(5), "X-Autoreply: yes\nPrecedence: bulk\n"),
    Reply("iCloud", "Auto reply: Hello", "Away.", _day(20), "X-Apple-Criteria: {kind=VACATION,startDate=2026-11-01T15:00:00Z,endDate=2026-11-20T14:59:59Z}\nX-Apple-Action: VACATION\n"),
    Reply("German, ab dem", "Automatische Antwort: Hallo", "Ich bin nicht im Büro und ab dem 09.11.2026 wieder erreichbar.", _day(9), _EXCHANGE),
    Reply("German, bis", "Abwesenheitsnotiz", "Guten Tag, ich bin bis 20. November im Urlaub. Ihre Mail wird nicht weitergeleitet.", _day(20)),
    Reply("German, vom bis, zurück", "Abwesenheit: Hello", "Ich bin vom 1.11. bis 15.11. abwesend. Ich bin am 16.11. wieder für Sie da.", _day(16), _EXCHANGE),
    Reply("German, Montag", "Automatische Antwort: Hallo", "Ich bin am Montag wieder im Büro.", _day(9), _EXCHANGE),
    Reply("French, jusqu'au", "Réponse automatique : Bonjour", "Je suis absent jusqu'au 13 novembre 2026 inclus.", _day(13), _EXCHANGE),
    Reply("French, retour", "Absence du bureau", "Je suis en congés. De retour le 1er décembre, je vous répondrai.", _day(1, 12)),
    Reply("French, numbers", "Réponse automatique : Bonjour", "Je serai de retour le 16/11/2026.", _day(16), _EXCHANGE),
    Reply("Spanish, hasta", "Respuesta automática: Hola", "Estaré fuera de la oficina hasta el 12 de noviembre.", _day(12), _EXCHANGE),
    Reply("Spanish, regreso", "Fuera de la oficina", "Estoy de vacaciones. Regreso el lunes 16 de noviembre de 2026.", _day(16)),
    Reply("Italian, rientro", "Risposta automatica: Ciao", "Sono in ferie. Rientro il 10 novembre.", _day(10), _EXCHANGE),
    Reply("Italian, fino al", "Fuori sede", "Sono assente fino al 15/11/2026.", _day(15)),
    Reply("Portuguese", "Resposta automática: Olá", "Estou de férias até 18 de novembro de 2026.", _day(18), _EXCHANGE),
    Reply("Dutch", "Automatisch antwoord: Hallo", "Ik ben afwezig. Op 23 november ben ik terug op kantoor.", _day(23), _EXCHANGE),
    Reply("Dutch, tot", "Afwezig", "Ik ben met vakantie tot 23 november.", _day(23)),
    Reply("Swedish", "Automatiskt svar: Hej", "Jag är på semester till och med 20 november.", _day(20), _EXCHANGE),
    Reply("Danish", "Automatisk svar: Hej", "Jeg er på ferie. Tilbage den 24. november.", _day(24), _EXCHANGE),
    Reply("Norwegian", "Fraværsassistent: Hei", "Jeg er ikke til stede.", None, _EXCHANGE),
    Reply("Finnish", "Automaattinen vastaus: Hei", "Olen lomalla.", None, _EXCHANGE),
    Reply("Polish", "Automatyczna odpowiedź: Cześć", "Jestem na urlopie do 15 listopada 2026.", _day(15), _EXCHANGE),
    Reply("Czech", "Automatická odpověď: Ahoj", "Jsem mimo kancelář.", None, _EXCHANGE),
    Reply("Slovak", "Automatická odpoveď: Ahoj", "Som mimo kancelárie.", None, _EXCHANGE),
    Reply("Hungarian", "Automatikus válasz: Szia", "Szabadságon vagyok.", None, _EXCHANGE),
    Reply("Romanian", "Răspuns automat: Salut", "Sunt în concediu.", None, _EXCHANGE),
    Reply("Croatian", "Automatski odgovor: Bok", "Odsutan sam.", None, _EXCHANGE),
    Reply("Russian", "Автоматический ответ: Привет", "Я в отпуске до 16 ноября.", _day(16), _EXCHANGE),
    Reply("Ukrainian", "Автоматична відповідь: Привіт", "Я у відпустці.", None, _EXCHANGE),
    Reply("Greek", "Αυτόματη απάντηση: Γεια", "Είμαι εκτός γραφείου.", None, _EXCHANGE),
    Reply("Turkish", "Otomatik yanıt: Merhaba", "İzindeyim.", None, _EXCHANGE),
    Reply("Japanese", "自動返信: こんにちは", "11月9日まで休暇をいただいております。", _day(9), _EXCHANGE),
    Reply("Chinese", "自动答复: 你好", "我正在休假，11月16日返回。", _day(16), _EXCHANGE),
    Reply("Chinese, traditional", "自動回覆: 你好", "我不在辦公室。", None, _EXCHANGE),
    Reply("Korean", "자동 회신: 안녕하세요", "휴가 중입니다.", None, _EXCHANGE),
    Reply("Arabic", "رد تلقائي: مرحبا", "أنا في إجازة.", None, _EXCHANGE),
    Reply("Hebrew", "תשובה אוטומטית: שלום", "אני בחופשה.", None, _EXCHANGE),
    Reply("Thai", "ตอบกลับอัตโนมัติ: สวัสดี", "ไม่อยู่", None, _EXCHANGE),
    Reply("Vietnamese", "Trả lời tự động: Chào", "Tôi vắng mặt.", None, _EXCHANGE),
    Reply("subject alone", "Automatic reply: Hello", "Away.", None, _NONE),
    Reply("not forwarded, German", "Re: Hallo", "Ich bin bis 20. November nicht im Büro. Ihre E-Mail wird nicht weitergeleitet.\nIn dringenden Fällen wenden Sie sich an: cy@example.org", _day(20)),
    Reply("not delivered, in a person's words", "Re: Hello", "This mailbox is no longer read, so your message was not delivered to anybody. Please write to:\n\ncy@example.org\n"),
    Reply("not delivered, French", "Re: Bonjour", "Votre message n'a pas été transmis. Contact :\ncy@example.org\nJe serai de retour le 16 novembre.", _day(16)),
    Reply("mailbox not watched", "Thank you for your message", "This address is not monitored. Your e-mail has not been delivered. Contact: help@example.org", None, "Auto-Submitted: auto-replied\nPrecedence: bulk\n"),
    Reply("who left", "Automatic reply: Hello", "I have left the company. My address bo.berg@example.org is no longer in use; messages cannot be delivered to me. Please write to cy@example.org."),
)  # fmt: skip
