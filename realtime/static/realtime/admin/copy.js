/** Copy buttons on an admin page. */

import { copyOnClick } from "../page/clipboard.js";

copyOnClick(document);
