import time
from measured_study import ask, measure, numbers_of
from rgcontract import with_preset
from rgworker.findings import refresh_findings
def test_x(database):
    t=time.time(); n=ask(database, **with_preset({"preset":"paper"})); print("ask", time.time()-t)
    t=time.time(); measure(database, most=479); print("measure", time.time()-t)
    t=time.time(); refresh_findings(database, attempt_limit=3); print("all at once", time.time()-t)
    measure(database, most=1)
    t=time.time(); c=time.process_time(); refresh_findings(database, attempt_limit=3); print("one more", time.time()-t, time.process_time()-c)
    t=time.time(); refresh_findings(database, attempt_limit=3); print("nothing due", time.time()-t)
