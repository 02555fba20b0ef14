"""A cause from what a mail system said. The first rule that matches wins, so the order is part of the rules.

Sources: RFC 3463 and 5321 for what codes mean; the public pages of Google ("SMTP errors and codes"), Microsoft ("Email
non-delivery reports in Exchange Online"), Yahoo, Apple, GMX and Spamhaus for what their systems say. The wording of the
rules is ours.
"""

from __future__ import annotations

import re

from truesend.inbox.phrases import plain

_STRONG: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("too_fast", (r"receiving (?:mail|messages|e-?mail)s? (?:too|at a rate)|messages (?:they|it|he|she) can receive|receiving (?:rate|limit)|too many (?:invalid|unknown|bad|non-?existent)",)),
    ("sending_limit", (
        r"(?:reached|exceed(?:ed|s)?|over|hit)[^.]{0,25} (?:sending|send|outbound|outgoing|submission)(?: [a-z]{1,12})? (?:limit|quota|rate)s?\b", r"(?:sending|outbound|outgoing)(?: [a-z]{1,12})? (?:limit|quota)s?[^.]{0,20} (?:exceeded|reached)",
        r"you(?:'ve| have)?(?: been| already)? (?:reached|exceeded|hit) (?:a|the|your)(?: [a-z]{1,12}){0,2} (?:limit|quota)\b(?! (?:of|for|on) (?:simultaneous |concurrent )?connections)(?![^.]{0,40}connection)",
        r"(?:daily|hourly)(?: user)? sending (?:quota|limit)", r"tenant (?:has )?exceeded", r"domain [^ ]{1,80} has exceeded[^.]{0,30} per (?:hour|day)|max(?:imum)? (?:defers and failures|emails) per (?:hour|day)[^.]{0,30} allowed",
        r"limite (?:quotidienne |diaria |giornalier[ao] |diário )?d[ei]'? ?[^.]{0,10}(?:envoi|envío|invio|envio)|(?:tages|sende|versand)limit",
    )),
    ("network_blocked", (r"banned sending ip", r"blocked ip|\bip (?:address )?[^.]{0,40}(?:blocked|banned|blacklisted|blocklisted)")),
    ("sender_blocked", (
        r"bad outbound sender|banned sender\b", r"you weren't recognized as a valid sender|suspected of sending spam|outbound spam", r"traffic not accepted from this ip",
        r"restricted (?:user|entit|from sending)", r"(?:your|sender(?:'s)?|sending)(?: e-?mail)? account (?:has been |is |was )?(?:temporarily )?(?:blocked|suspended|disabled|restricted|locked)\b|(?:e-?mail |mail )?sending (?:is|has been|was) (?:disabled|suspended|blocked)",
        r"unusual (?:sending|email) activity", r"not allowed to send (?:any )?(?:more )?(?:mail|messages|email)s? (?:from|outside|externally|with) (?:this|your)",
    )),
    ("not_permitted", (
        r"resolver\.rst\.", r"groups\.google\.com", r"(?:permission|authori[sz]ed|permitted|allowed|right|rights) to (?:post|send|mail|write)(?: messages?| mail| email)? (?:to|on|messages)", r"delivery to this (?:address|recipient)[^.]{0,20} (?:is )?restricted|restricted (?:address|recipient|distribution)",
        r"only (?:accepts?|takes|allows?) (?:mail|messages|e-?mail|posts)[^.]{0,20} (?:from|by)", r"not (?:a )?(?:member|subscriber|subscribed)|not a registered gateway user", r"only (?:members|subscribers)|closed (?:mailing )?list|members? only|moderated (?:group|list)",
        r"(?:is ?n.t|not|does ?n.t|does not) accept(?:ing)? (?:messages?|mail|e-?mail)s? from (?:you|your|this sender|people outside|external|outside)",
    )),
    ("reverse_dns", (r"reverse[- ]?dns|reverse (?:name|lookup|host|address)|\brdns\b|\bptr\b|fcrdns", r"(?:cannot|can't|could not) (?:find|resolve) your (?:reverse )?(?:host|ip|address|name)", r"without a valid sender domain", r"(?:invalid|bad|no such|rejected|forged)[^.]{0,12} (?:helo|ehlo)|(?:helo|ehlo)[^.]{0,30} (?:invalid|rejected|not (?:valid|fully|resolv|match)|does not)")),
    ("authentication", (r"\bspf\b|\bdkim\b|\bdmarc\b|sender policy framework|domainkeys", r"purported responsible address|sender[- ]?id\b", r"unauthenticated|not (?:been )?authenticated|authentication (?:is )?(?:required|failed|failure|checks?|information)|(?:must|need to|please) authenticate|smtp[- ]auth|client was not authenticated|auth required")),
    ("network_blocked", (
        r"spamhaus|spamcop|barracudacentral|abuseat|sorbs\b|uceprotect|invaluement|senderscore|senderbase|dnsbl|\brbls?\b|\bcbl\b|\bxbl\b|\bsbl\b|\bpbl\b|dns ?black|mail-abuse|cloudmark|proofpoint\.com/dnsbl|ipcheck|trendmicro\.com|talosintelligence",
        r"(?:block|black|deny|reject|ban)[- ]?list", r"\breputation\b", r"(?:smtp|mail) server of your (?:isp|provider)|use your (?:isp|provider)'?s", r"dynamic (?:ip|address|host)|dial-?up|residential|generic host",
        r"client host [^.]{0,80}(?:rejected|blocked)|client host rejected", r"\byour (?:ip|host|network|server|isp|mta|domain)(?: address)?[^.]{0,40} (?:block|ban|listed|reject|denied|has been)", r"\b(?:ip|host|network|server|address|connections?|mail|messages|traffic)[^.]{0,30} from [\[(]?\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}[^.]{0,40}(?:block|refus|reject|denied|not (?:accept|permit|allow)|ban|weren't|wasn't)",
        r"refused to talk to me|blocked (?:- see|using|by(?! (?:the |your )?(?:recipient|user|admin|content|policy|filter|rule))|for|due|at)|user complaints|originating from your ip", r"part of (?:their|your) network", r"access denied[^.]{0,20}\bip\b|\bip\b[^.]{0,20}(?:access denied|rejected|not allowed)", r"(?<!indicated )no smtp service|(?:not|no longer) accept(?:ing|ed)? (?:mail|messages|connections?|smtp)[^.]{0,10} from (?:your|this|that|\[|\d|ip|server)",
    )),
    ("mailbox_full", (
        r"(?:mail ?box|inbox|storage|user|recipient)[^.]{0,40} (?:reached|exceeded|exceeds|is over|over)[^.]{0,25} (?:storage |size |mailbox )?(?:limit|quota|capacity)\b",
        r"(?:mail ?box|inbox|mail ?folder|mail ?drop|message store|account|user|recipient|disk|storage|volume)[^.]{0,45} (?:is |are |was |being |has |be )?(?:almost |currently |over |too )?(?:full\b|quota|exceeded (?:the |its )?(?:storage|limit|quota|size))", r"over ?quota|quota[^.]{0,30}(?:exceed|full|violat|reach|over|limit|surpass)|(?:exceed|over|out of|beyond|above|no)[^.]{0,30}quota", r"quota (?:is|has)|quotaexceeded|full (?:mailbox|inbox)|mailbox ?full|mbxfull|mailfull",
        r"out of (?:storage|disk)|(?:not enough|insufficient|no|low|lack of)(?: free| available| more| system)* (?:disk |storage |mailbox )?(?:space|storage|room)\b|disk (?:is )?full|no space left", r"mailbox (?:size |storage |has )?(?:limit|exceed)|mailbox[^.]{0,30}(?:too large|exceed)|exceeded (?:its |the |your )?(?:storage|mailbox|disk)", r"too much mail|too many messages (?:in|on)",
        r"postfach[^.]{0,40}(?:voll|überfüllt)|speicherplatz|(?:boîte|bal)[^.]{0,40}(?:pleine|saturée)|quota[^.]{0,15}dépass|buzón[^.]{0,40}llen|casella[^.]{0,40}piena|caixa[^.]{0,40}(?:cheia|lotada)|(?:postvak|postbus|mailbox)[^.]{0,20} vol\b", r"skrzynk[^.]{0,40}(?:pełn|przepełn)|přeplněn|plná schránka|schránk[^.]{0,20}pln|postafiók[^.]{0,20}(?:megtelt|tele)|переполнен|(?:ящик|скринька)[^.]{0,30}(?:полон|заполн|переповн)|kutusu[^.]{0,20}dolu|kota[^.]{0,10}aş|postilaatikko[^.]{0,20}täynnä|(?:brevlåda|inkorg|postkasse|indbakke)[^.]{0,20}full",
        r"満杯|いっぱい|一杯|容量[^.]{0,12}(?:超|オーバー|不足)|(?:已满|已滿|满了|爆满)|(?:邮箱|郵箱|信箱)[^.]{0,8}(?:满|滿|空间不足|空間不足)|超[过過出][^.]{0,8}(?:容量|配额|限额)|가득|용량[^.]{0,10}(?:초과|부족)|ممتلئ",
    )),
    ("system_error", (r"(?:could ?n.t|cannot|can't|unable to) (?:create|open|write|lock)\b",)),
    ("loop", (r"\bloop|too many hops|hop count|maximum allowed times|too many received|forwarded more than",)),
    ("virus", (r"\bvirus|malware|malicious|infected|trojan|\bworm\b|ransomware|exploit|mcspamsignature|clamav|harmful",)),
    ("too_large", (r"(?:message|mail|e-?mail|size|data|content|attachment|letter)[^.]{0,50}(?:too (?:large|big)|exceed[^.]{0,40}(?:size|limit|maximum|max|length))", r"(?:exceed|larger|bigger|greater)[^.]{0,40}(?:maximum|fixed|message|allowed|permitted)[^.]{0,20}(?:size|limit|length)|size limit|maximum (?:message )?size|message size|too large|too big", r"zu gro(?:ß|ss)|trop (?:volumineu|gros|grand)|demasiado grande|troppo grande|muito grande|te groot|för stor|za duż|příliš velk|túl nagy|слишком (?:больш|велик)|завелик|çok büyük|サイズ[^.]{0,14}(?:超|大き)|太大|[过過]大|너무")),
    ("spam", (r"\bspam|unsolicited|\bjunk\b|\bbulk (?:e-?)?mail|\bube\b|\buce\b|phish|scored as|likely suspicious|considered (?:unsolicited|abusive)|(?:ads|advertis)",)),
    ("greylisted", (r"gr[ae]y-?list|postgrey|(?:come back|try again|retry|wait)[^.]{0,20} (?:in|after|for) \d+ ?(?:s\b|sec|min)",)),
    ("sender_refused", (
        r"(?:sender|from|return|envelope)(?:'s)?(?: e-?mail)?(?: address| domain| host)?(?: [^ ]{1,80})?:? (?:is |was |has been |are )?(?:rejected|denied|refused|blocked|unknown|invalid|not (?:valid|accept|allow|found|exist|permitted|verified)|does not|verif(?:y|ication) fail|unroutable|banned)", r"sender(?:'s)? domain|envelope sender|your (?:e-?mail )?(?:address|domain)\b.{0,80} (?:is not|is ?n't|does not|doesn't|has no)|(?:valid|recogni[sz]ed|known|accepted|registered) (?:as )?(?:a |the )?sender|(?:domain|host) of sender|sender was rejected|unrout[e]?able sender|bad sender|(?:invalid|unverified|blocked|rejected|unknown|unacceptable) sender|sender (?:verify|verification|callout)|rejected mail from|mail from [^ ]{1,80} (?:rejected|refused|denied)|from (?:address|domain)[^.]{0,30}(?:not|invalid|reject)|no one here by that sender",
    )),
    ("moved", (r"(?:user|recipient|mailbox|person|account|address|has|have|was) (?:has |have )?moved|no longer (?:on|at) (?:this |the )?server|relocated|(?:has|have) a new (?:e-?mail )?address|address (?:has )?changed|changed (?:his|her|their|its) (?:e-?mail )?address|forwarding address|mailbox moved|new address is|unbekannt verzogen",)),
    ("unreachable", (r"host not found,? try again|(?:temporary|temporarily|transient)[^.]{0,30}(?:dns|lookup|resolution|name)|(?:host|host name|hostname|name|dns|mx) lookup fail\w*(?![^.]{0,30}(?:host|domain) [^ ]{1,80} not found|[^.]{0,80}(?:nxdomain|no such))|name server[^.]{0,30}(?:fail|timeout|timed|not respond)|dns (?:timeout|timed|failure|query failed|soft error)",)),
    ("takes_no_mail", (r"null ?mx|indicated no smtp service|(?:host|domain|server|it|which|site)[^.]{0,40} (?:does ?n.t|does not|do not|never) (?:accept|receive|take|handle) (?:any )?(?:e-?)?mail\b|does not accept mail\b(?! from)", r"(?:no|without|find an?|find any|lacks?|missing|valid|has an?y?)[^.]{0,12} (?:mx\b|mail exchanger|mail server|mail host)[^.]{0,40}", r"mail exchanger or ip address")),
    ("no_such_domain", (
        r"(?:host|domain|site|system)(?: or domain)?(?: name)?(?: [^ ]{1,80})? (?:is |was |has |could |can |does |doesn't |couldn't |cannot )?(?:been )?(?:unknown|not (?:be )?(?:found|known|exist|resolve|registered)|n'?t (?:be )?(?:found|exist)|be found|exist|invalid|no longer exist)", r"(?:unknown|no such|invalid|non-?existent|bad|illegal|unrouteable|unroutable|misspelled|unresolvable)(?: mail| destination| recipient| remote)? (?:host|domain|system)", r"nxdomain|domain name not found|domain name [^ ]{1,80} (?:can't|cannot|could not) be found|host unknown|couldn't find any host|unable to (?:resolve|look ?up)[^.]{0,20}(?:host|domain)|dns[^.]{0,40}(?:not exist|no such|not found|non-existent)|points? to (?:a )?non-?existent|domain is not reachable|(?<![\w@])(?:[\w-]{1,63}\.){1,6}[a-z]{2,20} (?:does not|doesn't) exist",
        r"domäne[^.]{0,40}(?:nicht gefunden|existiert nicht|unbekannt)|domaine[^.]{0,40}(?:introuvable|n'existe pas|inconnu)|dominio[^.]{0,40}(?:no existe|no se (?:ha )?enc|inexistente|non esiste)|domínio[^.]{0,40}(?:não existe|inexistente|não encontrado)|ドメイン[^.]{0,12}(?:存在し|見つか)|域名[^.]{0,10}(?:不存在|无法)|домен[^.]{0,30}(?:не найден|не существует)",
    )),
    ("mailbox_disabled", (
        r"(?:account|mail ?box|user|address|recipient|e-?mail)(?: [^ .]{1,80})?[^.]{0,45} (?:disabled|suspended|inactive|deactivated|locked|frozen|on hold|not active|discontinued|dormant|blocked|temporarily unavailable|unavailable temporarily)", r"(?:disabled|suspended|inactive|locked|deactivated|dormant|frozen)(?: e-?mail)? (?:user|account|mail ?box|recipient|address)|disableduser|mailbox[^.]{0,10} disabled|account_?(?:disabled|inactive|suspended)", r"(?:konto|postfach)[^.]{0,30}(?:gesperrt|deaktiviert)|compte[^.]{0,30}(?:désactivé|suspendu|bloqué)|cuenta[^.]{0,30}(?:deshabilitad|suspendid|inactiv|bloquead)|account[^.]{0,20}(?:disattivat|sospes)|conta[^.]{0,30}(?:desativad|suspens|bloquead)|заблокирован|отключен|停用|冻结|凍結|禁用|정지|휴면",
    )),
    ("relay_denied", (r"relay(?:ing)?(?: \w+)?[^.]{0,12} (?:denied|not (?:permitted|allowed)|prohibited|refused|rejected|disallowed)|\brelaying\b|(?:allowed|permitted|unable|authori[sz]ed|cannot|will not|do(?:es)? not|don't|refuse to|attempt) (?:to )?relay|(?:insecure|open|unauthori[sz]ed) (?:mail )?relay|not a gateway|rcpthosts",)),
    ("no_such_address", (
        r"(?:user|users|mail ?box|recipient|account|address|addressee|alias|local ?part|e-?mail|person|inbox|recipient name|email account)(?:\(s\))?(?: \"?'?<?[^ ]{1,100}>?\"?'?)?(?: that you tried to reach| you (?:entered|are trying to reach|specified))?[ ,:]{1,3}(?:(?:is|was|are|has|have|does|do|did|could|can|may|might|be|been|been)? ?(?:currently |been )?)?(?:unknown|un-?available here|not (?:be )?(?:found|known|exist|valid|listed|recogni[sz]ed|on (?:this|our|the)|in (?:this|our|the)|here|at this|local|available here|a (?:valid|known|registered))|n[o']t (?:be )?(?:found|exist|located|valid|known|have)|(?:do|does|did|could|can|was|is|are|has|have)n.t (?:be )?(?:exist|found|valid|have|known)|be found|no longer (?:exist|valid|available|active|in use|here|accept|used|have)|invalid|bad|wrong|(?:been )?(?:closed|deleted|removed|terminated|cancell?ed)|non-?existent|illegal)",
        r"(?:unknown|no such|invalid|non-?existent|bad|wrong|illegal|unrecogni[sz]ed|incorrect|nonexistent|unidentified)(?: or (?:illegal|invalid|unknown))?(?: local| destination| recipient| e-?mail| mail| virtual| final)? ?(?:user|users|recipient|recipients|mail ?box|account|address|addressee|alias|local ?part|id\b|person|name\b|mailbox address)", r"(?:no|not an?)(?: such| known| valid| registered| local| active)? (?:mail ?box|user|account|recipient|person|address|customer|one)(?: by| named| with| here| at| found| exists| for| on|[^a-z]|$)", r"user ?unknown|user not exist|user not known|unknown_user|usernotfound|nosuchuser|recipnotfound|recipient ?not ?found|no_such_user|mailbox ?not ?found|unknownaddress|invalid_?recipient",
        r"(?:does ?n.t|does not|do not) have an? (?:[^ ]{1,60} )?(?:account|mailbox)", r"not (?:listed|found|exist|known|recogni[sz]ed)[^.]{0,20} in (?:the )?(?:domino|public name|directory|address book|[^ .]{0,20} ?table|users?)|user[^.]{0,12} not listed|can(?:not|'t) (?:find|verify|locate|resolve)[^.]{0,15} (?:user|recipient|address|mailbox|account)|couldn't (?:find|be found)|wasn't found at|wasn.t found", r"mailbox unavailable \(s\d{8,12}\)|(?:nie|не|nebyl[ao]?|nenalezen[ao]?|nem) ?(?:znalezion[oay]|odnaleziono|найден[ао]?|nalezen[ao]?|található)? ?(?:tego |takiego |такой |такого )?(?:adresu|odbiorcy|użytkownika|адрес|адреса|adresa|uživatel)\b|unknown local-?part|(?:account|mailbox) (?:is )?not available|recipient cannot be verified|lookup error - not exist|no hay ning[úu]n usuario|undeliverable address|unrout(?:e)?able address|address not found|unable to validate recipient|recipient verify failed|recipient (?:is )?unknown|not our customer|mailbox not found|not found in (?:our|the)|delivery to (?:that|this) (?:user|address) is not",
        r"(?:empfänger|adresse|benutzer|postfach|konto|e-mail-adresse)[^.]{0,45} (?:unbekannt|existiert nicht|nicht (?:gefunden|bekannt|vorhanden|gültig)|ungültig)|unbekannter (?:empfänger|benutzer)|(?:adresse|destinataire|utilisateur|boîte|compte)[^.]{0,45} (?:inconnue?|n'existe pas|introuvable|invalide|incorrecte?|inexistante?)|(?:dirección|destinatario|usuario|buzón|cuenta)[^.]{0,45} (?:no (?:existe|se (?:ha )?enc|encontrad|válid)|desconocid|inexistente|incorrect)|no se (?:ha encontrado|encontró) la dirección", r"(?:indirizzo|destinatario|utente|casella|account)[^.]{0,45} (?:non (?:esiste|trovat|valid)|sconosciut|inesistente|errat)|(?:endereço|destinatário|usuário|utilizador|caixa|conta)[^.]{0,45} (?:não (?:existe|encontrad|foi encontrad)|desconhecid|inexistente|inválid)|(?:adres|gebruiker|ontvanger|postvak)[^.]{0,40} (?:niet (?:gevonden|bestaat)|bestaat niet|onbekend|ongeldig)|(?:adres|odbiorc|użytkownik|konto|skrzynk)[^.]{0,40} (?:nie (?:istnieje|znalez|odnalez)|nieznan|nieprawidłow)", r"(?:adresa|příjemce|uživatel|schránka|adresát)[^.]{0,40}(?:neexist|nenalezen|neznám|nebyl[ao]? nalez)|(?:címzett|cím|felhasználó|postafiók)[^.]{0,40}(?:nem (?:létezik|található)|ismeretlen)|(?:adress|mottagare|användare|adresse|modtager|mottaker|bruger|bruker)[^.]{0,40}(?:finns inte|hittades inte|okänd|findes ikke|ikke funnet|ukendt|ukjent)|(?:adres|alıcı|kullanıcı|posta)[^.]{0,40}(?:bulunamadı|mevcut değil|bilinmiyor|geçersiz)", r"(?:адрес|пользовател|получател|ящик|абонент|користувач|скриньк|одержувач)[^.]{0,60}(?:не (?:найден|существ|зарегистр|знайден|існує)|неизвест|невідом|недействит|отсутств)|такого (?:пользователя|адреса|ящика)|(?:アドレス|宛先|ユーザ|メールボックス|受信者|あて先|ディレクトリ)[^.]{0,50}(?:存在し|見つかり|不明|間違|ありません|誤り)|(?:地址|用户|帐户|账户|账号|收件人|邮箱|信箱|使用者)[^.]{0,14}(?:不存在|无效|無效|未找到|找不到|有误|错误|有誤)|(?:找不到|无此|無此|没有找到|不存在)[^.]{0,6}(?:收件|用户|地址|邮箱|使用者|信箱|帐|帳)?|(?:주소|사용자|수신자|계정|메일함)[^.]{0,16}(?:없|존재하지|찾을 수|잘못)",
    )),
    ("too_fast", (r"too (?:many|fast|frequent|much traffic)|rate[- ]?limit|throttl|(?:connection|message|mail|sending|receiving|delivery)s? (?:rate|limit|frequency)|frequency|concurren(?:cy|t)|slow down|unusual rate|exceeded[^.]{0,25}(?:connections|recipients|messages)",)),
    ("content", (r"(?:attachment|headers?|\bmime|body|format|content|character ?set|file (?:type|extension)|message)[^.]{0,40} (?:invalid|missing|duplicate|illegal|forbidden|malformed|unsupported|not (?:allowed|accepted|permitted|supported|compliant)|refused|rejected|prohibited|restricted|blocked)|(?:invalid|missing|duplicate|illegal|forbidden|malformed|unsupported|blocked|multiple|bad)[^.]{0,30} (?:attachment|headers?|mime|body|format|content type|character ?set|file|addresses in from)|8-?bit|smtputf8|line (?:too )?long|bare (?:lf|cr)|\brfc ?[25][38]22\b",)),
    ("policy", (r"polic(?:y|ies)|administrative(?:ly)? (?:prohibit|den|reject|refus)|prohibited|access denied|denied by|security (?:reason|polic|rule)|not (?:allowed|permitted|authori[sz]ed|accepted)|rejected by (?:the )?(?:recipient|user|rule|filter|system|administrator)|blocked by (?:the )?(?:recipient|user|rule|administrator)|recipient[^.]{0,20} (?:refuse|does not want|block)|filter(?:ed|ing)?\b|restriction",)),
    ("unreachable", (r"connection[^.]{0,20} (?:timed|refused|reset|dropped|lost|closed|failed|error|died|attempts?)|connect(?:ion)? (?:to|with|attempt)[^.]{0,60}(?:fail|refus|time|lost|error)|lost connection|conversation with[^.]{0,60}timed|(?:could not|couldn't|can't|cannot|unable to|failed to|failed) (?:connect|contact|reach|establish)|no route to host|unreachable|host (?:is )?down|(?:timed|time) ?out\b[^.]{0,40}(?:connect|while|waiting|host|server|user open)?|starttls|\btls\b|certificate|(?:no|not) (?:answer|respon)|did not accept our|(?:server|host)[^.]{0,30} (?:did not|didn't|does not|not) respond|domain name service|name service error",)),
    ("expired", (r"(?:retry|delivery|message|queue|time|lifetime)[^.]{0,30} (?:expired|exceeded)|queue too long|too long|expired|(?:not|n't|un)[^.]{0,40}deliver[^.]{0,30} (?:for|after|within|in) (?:the (?:last|past) )?\d+|for (?:the past )?\d+ (?:hours|days)|after \d+ (?:attempts|hours|days|tries)|giving up|deferred|aborted after|failed \d+ attempts",)),
    ("system_error", (r"\b(?:system|configuration|internal|server|local|service|ldap|database|mailer|queue|lmtp|i/o|input/output|resource|software|backend|gateway|program|command|script|pipe|procmail|storage)[^.]{0,40} (?:error|problem|fail|fault|unavailable|not available|died|output|to \||exhausted|down|currently)|service (?:currently |temporarily )?(?:unavailable|not available)|out of memory|temporary (?:failure|error|problem|local)|(?:can't|cannot|couldn't|unable to) (?:create|open|write|access|contact|lock)|command (?:died|output|failed)|procmail|not configured|try (?:again|later)|storedrv|mailboxintransit|too busy",)),
    ("protocol_error", (r"syntax|(?:bad|improper|wrong) sequence|sequence of commands|unrecogni[sz]ed|unimplemented|protocol|(?:command|parameter)s? (?:not|unrecogni|rejected|un)|rcpt first|must (?:issue|have|send)|need (?:rcpt|mail)",)),
    ("network_blocked", (r"\b(?:blocked|denylisted|listed)\b",)),
    ("no_such_address", (r"(?:recipient|rcpt|destination|mailbox|to) ?address (?:was |has been |is )?(?:rejected|refused)|address rejected",)),
)  # fmt: skip

RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (cause, re.compile("|".join(f"(?:{one})" for one in patterns))) for cause, patterns in _STRONG
)

_AT_MAIL = re.compile(r"mail[ _]from(?: command|\b)|\[mail_from\]|in reply to mail|after mail from")
AT_RCPT = re.compile(r"rcpt[ _]to|smtp:rcpt|\[rcpt_to\]|in reply to rcpt|after rcpt")
# A server that took the address and says after the mail that nobody is there: what carriers' filters say.
_AT_END = re.compile(r"end of data|in reply to data|after data\b|smtp transmission failure")
_EXPLICIT = re.compile(r"have an? [^ ]{1,60} account|does not exist|doesn't exist|no longer")
# What would blame the recipient's address or domain, said of MAIL FROM, speaks of the sender.
_OF_ADDRESSES = {"no_such_address", "no_such_domain", "takes_no_mail", "moved", "policy", "mailbox_disabled"}
_URL = re.compile(r"https?://[^\s>\"')]{1,500}")
_ADDRESS = re.compile(r"<?[^\s<>@\"',;:()\[\]]{1,64}@[^\s<>@\"',;()\[\]]{1,255}>?")


_GENERIC = re.compile(
    r"\d\.\d\.\d - [a-z /]{3,60} \d{3}-'(.{3,1000}?)'|invalid address, error_code ?:(.{3,1000})"
)


def cause_of(words: str, around: str = "") -> str:
    """A code of the table of causes, or ``""`` where the words tell none. Looks at 4,000 characters.

    ``around`` may tell at which command it was said.
    """
    text = " ".join(plain(words[:4_000]).split())
    stage = " ".join(plain(around[:4_000]).split()) if around else text
    if (said := _GENERIC.search(text)) is not None:  # some name a class of failures before what was said
        text = said[1] or said[2]
    if not text:
        return ""
    # Letters of an address or a host are no words, but the hosts of blocklists and of help pages are.
    bare = _ADDRESS.sub("<a>", text)
    for cause, rule in RULES:
        if rule.search(_URL.sub(" ", bare) if cause in _OF_ADDRESSES else bare):
            if cause == "no_such_address" and _AT_END.search(stage) and not _EXPLICIT.search(bare):
                return "filtered"
            if cause in _OF_ADDRESSES and _AT_MAIL.search(stage) and not AT_RCPT.search(stage):
                return "sender_refused"
            return cause
    if _AT_MAIL.search(stage) and not AT_RCPT.search(stage):
        return "sender_refused"
    return ""
