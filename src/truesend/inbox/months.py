"""Names of months and days of the week, in small letters."""

from __future__ import annotations

_MONTHS = (
    "january jan januar jänner janvier janv enero ene gennaio gen janeiro januari leden ledna stycznia styczeń января január januára januára tammikuuta tammikuu ocak ianuarie",
    "february feb februar febr février févr fév febrero febbraio febb fevereiro februari februára února únor lutego luty февраля február helmikuuta helmikuu şubat februarie fev",
    "march mar märz maerz mär mrz mars marzo março maart března březen marca marzec марта március maaliskuuta maaliskuu mart martie",
    "april apr avril avr abril abr aprile april dubna duben kwietnia kwiecień апреля április apríla huhtikuuta huhtikuu nisan aprilie",
    "may mai mayo maggio mag maio mei maj května květen maja мая május mája toukokuuta toukokuu mayıs",
    "june jun juni juin junio giugno giu junho června červen czerwca czerwiec июня június júna kesäkuuta kesäkuu haziran iunie",
    "july jul juli juillet juil julio luglio lug julho července červenec lipca lipiec июля július júla heinäkuuta heinäkuu temmuz iulie",
    "august aug août agosto ago augusti augustus srpna srpen sierpnia sierpień августа augusztus augusta elokuuta elokuu ağustos",
    "september sep sept septembre septiembre setiembre settembre sett setembro září września wrzesień сентября szeptember septembra syyskuuta syyskuu eylül septembrie",
    "october oct oktober okt octobre octubre ottobre ott outubro října říjen października październik октября október októbra lokakuuta lokakuu ekim octombrie",
    "november nov novembre noviembre novembro listopadu listopad listopada ноября novembra marraskuuta marraskuu kasım noiembrie",
    "december dec dezember dez décembre déc diciembre dic dicembre dezembro prosince prosinec grudnia grudzień декабря decembra joulukuuta joulukuu aralık decembrie",
)
_DAYS = (
    "monday montag lundi lunes lunedì segunda-feira maandag måndag mandag poniedziałek понедельник",
    "tuesday dienstag mardi martes martedì terça-feira dinsdag tisdag tirsdag wtorek вторник",
    "wednesday mittwoch mercredi miércoles mercoledì quarta-feira woensdag onsdag środę среду",
    "thursday donnerstag jeudi jueves giovedì quinta-feira donderdag torsdag czwartek четверг",
    "friday freitag vendredi viernes venerdì sexta-feira vrijdag fredag piątek пятницу",
    "saturday samstag sonnabend samedi sábado sabato zaterdag lördag lørdag sobotę субботу",
    "sunday sonntag dimanche domingo domenica zondag söndag søndag niedzielę воскресенье",
)
MONTHS: dict[str, int] = {name: at for at, names in enumerate(_MONTHS, 1) for name in names.split()}
"""Number, 1 to 12, by name."""
DAYS: dict[str, int] = {name: at for at, names in enumerate(_DAYS) for name in names.split()}
"""Number by name, Monday 0."""
