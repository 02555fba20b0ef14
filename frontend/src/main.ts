// Every page: styles, htmx, theme, times, toasts, busy buttons and live updates.
import "./css/main.css";
import "htmx.org";

import { startClamped } from "./clamped.ts";
import { startCopy } from "./copy.ts";
import { startForms } from "./forms.ts";
import { startLater } from "./later.ts";
import { startLive } from "./live.ts";
import { startMail } from "./mail.ts";
import { startNotices } from "./notices.ts";
import { startNotify } from "./notify.ts";
import { startPasskeys } from "./passkeys.ts";
import { startRecovery } from "./recover.ts";
import { startTheme } from "./theme.ts";
import { startTimes } from "./times.ts";
import { startToasts } from "./toasts.ts";
import { startUndo } from "./undo.ts";
import { startUnfold } from "./unfold.ts";

startTheme();
startTimes();
startToasts();
startForms();
startCopy();
startLater();
startLive();
startMail();
startNotices();
startNotify();
startPasskeys();
startRecovery();
startClamped();
startUndo();
startUnfold();
