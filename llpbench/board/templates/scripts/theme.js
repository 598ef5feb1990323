// Runs in the head, before anything is painted: the theme that was chosen here, if any.
try {
  const chosen = localStorage.getItem("llpbench-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // no storage for files in this browser: the theme of the system
}
