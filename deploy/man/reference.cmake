# Writes jobs-bridge.toml(5), from the file that is the reference, to OUTPUT: INPUT as it stands.
file(READ ${INPUT} reference)
# What roff would take for its own: backslashes, and dots and quotes at the start of a line.
string(REPLACE "\\" "\\e" reference "${reference}")
string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" reference "${reference}")
string(REPLACE "-" "\\-" reference "${reference}")
file(WRITE ${OUTPUT} ".TH JOBS\\-BRIDGE.TOML 5
.SH NAME
jobs\\-bridge.toml \\- the configuration of jobs\\-bridge
.SH DESCRIPTION
A TOML file. Changes take effect after a restart; those of limits, log.level, notify.repeat_replies and credentials also after
.BR \"systemctl reload jobs\\-bridge\" .
.BR jobs\\-bridge (1)
check prints everything that is wrong with it. Every key, with its meaning, what is allowed, and its default:
.PP
.nf
${reference}
.fi
.SH SEE ALSO
.BR jobs\\-bridge (1)
")
