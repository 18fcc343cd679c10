"""Every secret that Fanout may be given, and the environment that gives some of them."""

from __future__ import annotations

SECRETS = {
    "key of the environment": "sk-envir-9f8Jq2Lk7Vb3Xz6Wm1Rt",
    "key of the page": "pk-typed-Zu5Ty8Gh2Nc4Ks7Dw0Qe",
    "password of the database": "db-pa55-Hk3Lm9Vx",
    "password of Redis": "redis-pa55-Tn6Bq2Wz",
    "secret of the sign-in": "oidc-Mb7Rf4Pk1Xs8Jd5Va2Lc",
    "secret of the cookies": "cookie-Gq9Ns3Hw6Tz0Ey4Uk7Bi",
    "token of the Hub": "hf_Vd2Xj8Cm5Lr1Pz7Ah4Fo",
}
ENVIRONMENT = {
    "OPENAI_API_KEY": SECRETS["key of the environment"],
    "FANOUT_DATABASE_URL": "postgresql://fanout:{}@127.0.0.1:1/x".format(
        SECRETS["password of the database"]
    ),
    "FANOUT_REDIS_URL": f"redis://:{SECRETS['password of Redis']}@127.0.0.1:1/0",
    "HF_TOKEN": SECRETS["token of the Hub"],
}
