"""What mail systems say in many languages: not delivered, or late. Our own wording of what they are known to write."""

from __future__ import annotations

import re

_NOT_DELIVERED = (
    # English
    r"(?:could ?n[o']t|can ?n[o']t|cannot|can't|was ?n[o']t|were ?n[o']t|not able to|is ?n[o']t|has ?n[o']t|have ?n[o']t|unable to"
    r"|failed to|not|never)(?: yet)?(?: been| be| being)?(?: successfully)? (?:deliver|redeliver|sent to|send your|reach)",
    r"undeliver(?:ed|able)", r"non-?deliver", r"delivery[^.\n]{0,40} fail", r"deliver(?:y|ing)[^.\n]{0,30}(?:failure|error|problem|unsuccess|stopped)",
    r"fail(?:ed|ure)[^.\n]{0,30}deliver", r"did not reach|didn't reach|did ?n[o']t receive|did not receive|(?:error|problem|trouble)[^.\n]{0,20} deliver|considered (?:unsolicited|spam)|was considered", r"returned (?:mail|to (?:the )?sender|to you|unopened)", r"failure notice",
    r"address(?:es)?(?: \w+)? (?:failed|had )", r"(?:could not|couldn't|cannot|not) be sent", r"address not found", r"(?:message|mail|e-?mail)[^.\n]{0,60} (?:was|were|has been|is) (?:rejected|blocked|refused|returned|bounced)",
    r"mail failed", r"failed addresses|failed recipients?", r"no valid recipients", r"message (?:blocked|not delivered|rejected|bounced)", r"(?:permanent|fatal|transient)[^.\n]{0,20} (?:error|failure)",
    r"giv(?:en|ing) up|gave up", r"rejected your message", r"recipient(?:'s)?[^.\n]{0,30} rejected", r"transcript of (?:the )?(?:smtp )?session", r"mailbox (?:is |does |has |was )?(?:full|unavailable|not)", r"unsuccessful|(?:was|were|has been|have been) aborted",
    r"may not exist,? or you may not have permission", r"unknown (?:user|address|recipient|mailbox)|no such (?:user|address|recipient|mailbox|person)", r"user unknown",
    # German
    r"(?:nicht|konnte nicht|kann nicht) (?:zugestellt|zustellen|ausgeliefert|übermittelt|übermitteln|gesendet|versendet|versandt|weitergeleitet)", r"unzustellbar", r"zustellung[^.\n]{0,40}(?:fehl|nicht|gescheitert|unmöglich)", r"fehler bei der (?:nachrichten)?(?:zustellung|übermittlung)", r"zustellungsfehler|zustellfehler",
    # French
    r"n'(?:a|ont) pas (?:pu |été )(?:être )?(?:remis|livr|distribu|envoy|achemin|délivr|transmis)", r"non (?:remis|distribu|délivr|livr|remise)", r"échec[^.\n]{0,30}(?:remise|distribution|livraison|envoi|transmission|acheminement)", r"impossible (?:de|d')[^.\n]{0,15}(?:remettre|livrer|distribuer|acheminer|délivrer|envoyer)", r"adresse introuvable",
    # Spanish
    r"no (?:se )?(?:ha podido|ha|pudo|puede|pudieron|podido)[^.\n]{0,30}entreg", r"no (?:fue|ha sido|se ha) (?:entregad|enviad)", r"no entregad|sin entregar", r"(?:error|fallo|falla|fallido|fallida)[^.\n]{0,25}(?:entrega|envío)", r"entrega[^.\n]{0,20}(?:fall|error)", r"no se (?:ha encontrado|encontró) la dirección", r"mensaje[^.\n]{0,15}(?:devuelto|bloqueado)",
    # Italian
    r"(?:non|impossibile)[^.\n]{0,40}(?:consegn|recapit)", r"(?:mancat[ao]|errore)[^.\n]{0,20}(?:recapito|consegna)", r"indirizzo non trovato", r"consegna[^.\n]{0,20}(?:fallit|non riuscit)",
    # Portuguese
    r"não[^.\n]{0,40}(?:entreg|enviad)", r"falha[^.\n]{0,25}(?:entrega|envio)", r"endereço não encontrado", r"mensagem[^.\n]{0,20}devolvida",
    # Dutch
    r"(?:kan|kon|kunnen|is|werd)[^.\n]{0,40}niet[^.\n]{0,25}(?:bezorgd|afgeleverd|besteld|verzonden|worden bezorg)", r"onbestelbaar", r"(?:bezorging|aflevering)[^.\n]{0,20}mislukt", r"niet bezorgd|adres niet gevonden",
    # Swedish, Danish, Norwegian, Finnish
    r"(?:kunde|kan|gick|kunne)[^.\n]{0,25}(?:inte|ikke|ej)[^.\n]{0,25}(?:lever|sänd|afsend|send)", r"(?:inte|ikke|ej) lever(?:erat|ert|eret|ades|et)", r"olever|ulever", r"leverans[^.\n]{0,20}misslyck|levering[^.\n]{0,20}mislyk", r"ei (?:voitu|voi|voida|pystytty|ole)[^.\n]{0,25}toimit", r"toimitus[^.\n]{0,20}epäonnistu|toimittamatta",
    # Polish, Czech, Slovak, Croatian, Slovenian, Romanian, Hungarian
    r"nie[^.\n]{0,40}(?:dostarcz|doręcz)", r"niedostarcz|niedoręcz", r"(?:nelze|nebyl[ao]?|nepodařilo|nemohl[ao]?)[^.\n]{0,35}doruč", r"nedoruč", r"(?:nepodarilo|nemožno|nebol[ao]?)[^.\n]{0,30}doruč", r"(?:nije|ne može|ni bilo)[^.\n]{0,35}(?:isporuč|dostav)", r"neisporuč|nedostav", r"nu (?:a putut|s-a putut|poate)[^.\n]{0,20}livra|nelivra|livrarea[^.\n]{0,20}eșuat|nu a fost livrat", r"nem[^.\n]{0,35}kézbesít|kézbesíthetetlen|kézbesítés[^.\n]{0,20}(?:sikertelen|hiba)",
    # Russian, Ukrainian, Bulgarian, Greek, Turkish
    r"(?:не|невозможно|ошибка|сбой|неможливо|помилка)[^.\n]{0,40}(?:достав|отправ)", r"недостав", r"достав[^.\n]{0,30}(?:не выполнена|не удал|невозможн)", r"(?:δεν|αδύνατη|αποτυχία|μη)[^.\n]{0,35}παρ(?:αδ|άδ)", r"(?:teslim|iletil|gönderil|ulaştırıl)[^.\n]{0,12}(?:edileme|eme|emedi)|iletilemedi|gönderilemedi|teslimat[^.\n]{0,15}başarısız",
    # Arabic, Hebrew, Persian, Thai, Vietnamese, Indonesian, Hindi
    r"تعذر[^.\n]{0,15}(?:تسليم|توصيل|إرسال)|لم يتم[^.\n]{0,10}(?:تسليم|توصيل|إرسال)|فشل[^.\n]{0,12}(?:تسليم|التسليم|توصيل|إرسال)", r"לא ניתן[^.\n]{0,12}(?:למסור|לשלוח)|לא נמסר|(?:המסירה|מסירת)[^.\n]{0,25}נכשל", r"تحویل داده نشد|ارسال نشد", r"ไม่สามารถ(?:ส่ง|จัดส่ง)|ส่งไม่สำเร็จ|ไม่ได้รับการส่ง", r"không[^.\n]{0,20}(?:gửi|chuyển|phân phối)|gửi[^.\n]{0,15}không thành công", r"tidak (?:dapat|bisa|berhasil)?[^.\n]{0,10}(?:dikirim|terkirim|disampaikan)|gagal[^.\n]{0,10}(?:dikirim|terkirim|mengirim)|pengiriman[^.\n]{0,15}gagal", r"(?:डिलीवर|वितरित)[^.\n]{0,15}नहीं",
    # Japanese, Chinese, Korean
    r"(?:配信|配達|送信|配送|送達|お届け|届ける)(?:すること)?(?:が|は|を)?(?:でき|出来|され)?(?:ませんでした|ません|なかった|ない)", r"(?:配信|送信|配達)(?:不能|エラー|に失敗|が失敗|失敗)|届きませんでした|届けられません|不達|宛先不明|返送され|戻ってき", r"(?:无法|未能|不能|没有|未)(?:被)?(?:投递|送达|传递|发送|递送|投遞)|退信|(?:投递|发送|递送)失败|退回|被拒", r"(?:無法|未能|不能|未)(?:被)?(?:傳遞|投遞|送達|傳送|遞送|寄送)|(?:傳遞|投遞|傳送|寄送)失敗", r"(?:배달|전송|전달|발송)[^.\n]{0,12}(?:없|않|못|실패)|반송",
)  # fmt: skip

_LATE = (
    r"delay(?:ed)?\b", r"still being (?:re)?tried", r"warning only|this is (?:only )?a warning|do not need to resend|not need to resend", r"(?:not yet|not) been delivered (?:yet|after|for|within)|not yet been delivered|hasn't been delivered yet",
    r"will (?:be re-?tried|(?:continue|keep|still)[^.\n]{0,10}(?:to )?(?:try|trying|retry)|retry|try again|attempt)|(?:attempts|retries) will (?:continue|be made)|continue trying|keep trying", r"delivery incomplete|temporary problem delivering", r"could not send message for (?:past|the past)", r"queued for later|has been (?:queued|deferred)|enqueued and undeliverable",
    r"verzögert|verzögerung|verspätet|weiter(?:hin)? versuch|weitere zustellversuche", r"retardé|différé|retard de|retard dans|nouvelle tentative|continuer(?:a|ons) d'essayer", r"retras|demora|aplazad|seguir[áe]mos? intentando|se seguirá intentando", r"ritardat|in ritardo|rinviat|continuer[àe]m?o? a (?:tentare|provare)", r"atrasad|atraso|adiad|continuar[áe]?m?o?s? (?:a )?tentando", r"vertraagd|vertraging|blijven proberen", r"försenad|fördröj|forsinke|forsinket|viiväst|viivy",
    r"opóźnion|zpožděn|odložen|oneskoren|întârzi|késik|késleltet|késedelem", r"задерж|отложен|затримк|відкладен|καθυστέρ|gecik|ertelen", r"遅延|遅れて|再送を試み|延迟|延遲|延误|继续尝试|지연|재시도|تأخير|تأخر|מתעכב|עיכוב|เลื่อน|ล่าช้า|trì hoãn|chậm trễ|tertunda|ditunda",
)  # fmt: skip

_GIVEN_UP = (
    r"permanent(?:ly)?\b", r"giv(?:en|ing) up|gave up|given up", r"no (?:further|more) (?:attempts|delivery attempts|retries)", r"will not (?:be re-?tried|retry|try|continue|attempt)|not going to try again|could not be delivered for|stopped trying|returned (?:mail|to sender)", r"fatal", r"endgültig|dauerhaft", r"définitif|définitive", r"definitiv|permanente", r"永久", r"постоянн",
)  # fmt: skip

FAILED = re.compile("|".join(f"(?:{one})" for one in _NOT_DELIVERED))
LATE = re.compile("|".join(f"(?:{one})" for one in _LATE))
GIVEN_UP = re.compile("|".join(f"(?:{one})" for one in _GIVEN_UP))


def plain(text: str) -> str:
    """For matching: small letters, one kind of apostrophe and dash, single blanks; lines stay."""
    text = text.lower().replace("’", "'").replace("‘", "'").replace("‐", "-").replace("–", "-")
    return re.sub(r"[ \t\u3000]+", " ", text)
