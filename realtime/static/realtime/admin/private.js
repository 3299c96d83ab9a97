/** The switch *Private* on a form in admin: what counts for nothing while it is on is not shown then. */

const box = document.getElementById("id_private");
const rows = document.querySelectorAll(".form-row.field-guest_access, .form-row.field-member_access");

function show() {
  for (const row of rows) row.hidden = box.checked;
}

if (box) {
  box.addEventListener("change", show);
  show();
}
