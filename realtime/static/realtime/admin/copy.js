/** Copy buttons on an admin page. */

import { copyOnClick } from "../clipboard.js";

copyOnClick(document);
