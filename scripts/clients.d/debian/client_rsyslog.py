# {"name": "rsyslog 8.2302, `omelasticsearch` with ids and a disk queue", "again": "new",
#  "overload": "silence", "restarts": true, "retry": "any", "large": 5000, "cannot": ["invalid",
#  "gzip"]}
# The id is made before the queue, so that it stays the same. It shortens lines to 8 KiB.
from daemons import PORT, ROOT, WORK, run

(WORK / "spool").mkdir()
config = WORK / "rsyslog.conf"
action = f"""server="127.0.0.1" serverport="{PORT}" uid="app" pwd="KEY" searchIndex="logs" searchType=""
      bulkmode="on" dynbulkid="on" bulkid="bid" writeoperation="create" retryfailures="on" retryruleset="es"
      errorfile="{WORK}/errors" queue.type="Disk" queue.checkpointInterval="1" queue.maxDiskSpace="1g"
      action.resumeRetryCount="-1" action.resumeInterval="1\""""
config.write_text(f"""
global(workDirectory="{WORK}/spool" maxMessageSize="8k")
module(load="imfile" mode="polling" pollingInterval="1")
module(load="omelasticsearch")
template(name="bid" type="string" string="%$.id%")
template(name="again" type="subtree" subtree="$!")
template(name="doc" type="list" option.jsonf="on") {{
  property(outname="@timestamp" name="timegenerated" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
ruleset(name="es") {{
  if strlen($.omes!status) > 0 then {{
    if $.omes!status == 200 or $.omes!status == 201 or $.omes!status == 409 then stop
    set $.id = $.omes!_id;
    action(type="omelasticsearch" template="again" queue.filename="es2" {action})
  }} else {{
    set $.id = $uuid;
    action(type="omelasticsearch" template="doc" queue.filename="es1" {action})
  }}
}}
input(type="imfile" file="{WORK}/app.log" tag="shop" ruleset="es" freshStartTail="off" persistStateInterval="1")
""")
run([ROOT / "usr/sbin/rsyslogd", "-n", "-f", config, "-i", WORK / "pid", "-M", ROOT / "usr/lib/x86_64-linux-gnu/rsyslog"])
