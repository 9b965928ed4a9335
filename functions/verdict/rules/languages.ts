// Families of refusals in other languages than English: one row a class and language, by the causes' precedence.
// It does not know who says them, and but for the IP is asked only after the English wording, as half of such a reply
// often is: what names SPF, DKIM, DMARC, a PTR or spam was told there.
// The text is without diacritics (words.ts): "ü" reads "u", but ł, ı and ß stand; Russian й and ё read и and е, and
// Japanese kana have lost their voicing marks (ブロック reads フロック). German is also written with ae, oe and ue.
import { oneOf, type RuleGroup } from "./rule.ts";

/** No one's page: the words that such refusals are made of. */
const idiom = "common words of the language; lines assembled";
const german =
  "https://www.sitepackage.de/service/dokumentation/auswertung/typische-fehlermeldungen-bei-unzustellbarkeit.html";
const french = "https://github.com/sisimai/p5-sisimai/tree/main/lib/Sisimai/Rhost";
const italian = "https://github.com/sisimai/p5-sisimai/blob/main/lib/Sisimai/Reason/UserUnknown.pm";
const polish = "https://pomoc.poczta.interia.pl";
const forpsi = "https://support.konto.pl/kb/a2813/blad-policy-violation-spam-do-qq_com-yahoo_com.aspx";
const russian = "https://mailout.ru/2015/09";
const czech = "https://napoveda.seznam.cz/uzivatel-neexistuje";
const turkish = "https://backlink.name/blog/smtp-550-hata-kodu-ayrintilari";
const chinese = "https://blog.sina.com.cn/s/blog_8dc13ec50101fxxr.html";
const netease = "https://mail.163.com/help/help_spam_16.htm";
const japanese = "http://manual.bownow.dog/case/2017/09/26/4";
const gmailPt =
  "https://knowledge.workspace.google.com/admin/support/troubleshooting/gmail-smtp-errors-and-codes?hl=pt-br";
const carerix = "https://www.exedo.nl/mailmeldingen";

/** What names greylisting or a domain is told by its own family. */
const other = /gr[ae]y|domain|dominio/;

/**
 * The IP itself, asked before the English wording: "adresse IP bloquée pour cause de spam" is no verdict on a message.
 */
export const clientLanguages: readonly RuleGroup[] = [
  {
    name: "language",
    providers: [],
    rules: [
      {
        id: "language-de-ip",
        class: "ip-reputation",
        unless: other,
        words: oneOf(
          /\bip[- ]?adresse .{0,40}(?:gesperrt|blockiert|abgelehnt|gelistet|blacklist)/,
          /(?:ihre|deine|absender|sende)[- ]?ip\b.{0,40}(?:gesperrt|blockiert|abgelehnt|gelistet)/,
          /mailserver .{0,30}(?:gesperrt|blockiert)|auf (?:einer|der|unserer) (?:blacklist|sperrliste)/,
        ),
        source: idiom,
      },
      {
        id: "language-fr-ip",
        class: "ip-reputation",
        unless: other,
        words: oneOf(
          /adresse ip .{0,40}(?:bloque|refuse|rejete|blackliste|banni|liste noire)/,
          /votre (?:ip|serveur)\b.{0,40}(?:bloque|blackliste|liste noire|refuse)/,
        ),
        source: french,
      },
      {
        id: "language-es-ip",
        class: "ip-reputation",
        unless: other,
        words: oneOf(
          /\bip .{0,40}(?:bloqueada|rechazada|en (?:una )?listas? negras?)/,
          /(?:su|tu) (?:ip|servidor)\b.{0,30}(?:bloquead|rechazad|listas? negras?)/,
        ),
        source: idiom,
      },
      {
        id: "language-pt-ip",
        class: "ip-reputation",
        unless: other,
        words: oneOf(
          /\bip .{0,40}(?:bloqueado|recusado|rejeitado|lista negra)/,
          /seu (?:ip|servidor)\b.{0,30}(?:bloquead|rejeitad|lista negra)/,
        ),
        source: idiom,
      },
      {
        id: "language-it-ip",
        class: "ip-reputation",
        unless: other,
        words: oneOf(
          /\bip .{0,40}(?:bloccato|rifiutato|in blacklist|lista nera)/,
          /(?:tuo|suo|vostro) (?:ip|server)\b.{0,30}(?:bloccat|rifiutat|blacklist)/,
        ),
        source: idiom,
      },
      {
        id: "language-pl-ip",
        class: "ip-reputation",
        unless: other,
        words: /adres(?:u)? ip .{0,40}(?:zablokowan|odrzucon)|\bip .{0,40}czarn(?:ej|a) lis|na czarnej liscie/,
        source: idiom,
      },
      {
        id: "language-nl-ip",
        class: "ip-reputation",
        unless: other,
        words: /\bip[- ]?adres .{0,40}(?:geblokkeerd|geweigerd)|op (?:een|de|onze) (?:zwarte lijst|blacklist)/,
        source: idiom,
      },
      {
        id: "language-ru-ip",
        class: "ip-reputation",
        unless: other,
        words: /(?:ваш |адрес )?ip.{0,40}(?:заблокирован|черн(?:ом|ыи) спис[ок])|в черном списке/,
        source: idiom,
      },
      {
        id: "language-cs-ip",
        class: "ip-reputation",
        unless: other,
        words: /ip adres[ay] .{0,40}(?:blokovan|odmitnut)|na (?:blacklistu|cerne listine)/,
        source: idiom,
      },
      {
        id: "language-tr-ip",
        class: "ip-reputation",
        unless: other,
        words: /ip adres[iı].{0,40}(?:engellen|kara liste|yasaklan)|kara listede/,
        source: idiom,
      },
      {
        id: "language-zh-ip",
        class: "ip-reputation",
        unless: other,
        words: /(?:ip|发信服务器|发送服务器).{0,20}(?:被(?:拒|封|禁|列入|屏蔽)|黑名单|黑名單|信誉)|位于一个或多个rbl/,
        source: netease,
      },
      {
        id: "language-ja-ip",
        class: "ip-reputation",
        unless: other,
        words: /ip(?:アトレス)?.{0,20}(?:フロック|拒否|フラックリスト)/,
        source: idiom,
      },
    ],
  },
];

export const languages: readonly RuleGroup[] = [
  {
    name: "language",
    providers: [],
    rules: [
      {
        id: "language-de-reverse",
        class: "reverse-dns",
        words: /r(?:u|ue)ckw(?:a|ae)rts-?aufl(?:o|oe)sung|r(?:u|ue)ckw(?:a|ae)rts-?eintrag/,
        source: idiom,
      },
      {
        id: "language-fr-reverse",
        class: "reverse-dns",
        words: oneOf(
          /(?:dns|resolution) invers\w* .{0,30}(?:absent|manqu|invalide|incorrect|introuvable)/,
          /(?:pas de|sans|aucun) (?:reverse|ptr|dns inverse|resolution inverse)/,
        ),
        source: idiom,
      },
      {
        id: "language-es-reverse",
        class: "reverse-dns",
        words: /(?:dns|resolucion|registro) invers[ao]/,
        source: idiom,
      },
      {
        id: "language-pt-reverse",
        class: "reverse-dns",
        words: /dns reverso|reverso (?:invalido|inexistente|nao)|(?:sem|nao possui) reverso/,
        source: idiom,
      },
      {
        id: "language-it-reverse",
        class: "reverse-dns",
        words: /(?:dns|risoluzione|record) invers[ao]/,
        source: idiom,
      },
      {
        id: "language-pl-reverse",
        class: "reverse-dns",
        words: /(?:brak|nieprawidłow\w{1,3}) (?:wpisu |rekordu )?(?:revdns|rev-?dns|ptr|odwrotn)/,
        source: idiom,
      },
      {
        id: "language-ru-reverse",
        class: "reverse-dns",
        words: /обратн(?:ая|ои|ую) (?:dns[- ])?(?:зон|запис)/,
        source: idiom,
      },
      {
        id: "language-cs-reverse",
        class: "reverse-dns",
        words: /reverzni (?:dns )?z(?:aznam|ona)|chybi reverzni/,
        source: "http://www.eurohosting.cz/cs/smtp",
      },
      {
        id: "language-zh-reverse",
        class: "reverse-dns",
        words: /反向(?:解析|域名|dns)|ptr(?:记录|記錄)/,
        source: idiom,
      },

      {
        id: "language-de-spam",
        class: "content-spam",
        words: oneOf(
          /als (?:spam|virus|unerwunscht|unerwuenscht|werbung)\w* .{0,20}(?:eingestuft|erkannt|abgelehnt|markiert)/,
          /enth(?:a|ae)lt .{0,20}(?:virus|viren|schadsoftware|spam)|spam[- ]?verdacht/,
        ),
        source: idiom,
      },
      {
        id: "language-fr-spam",
        class: "content-spam",
        words: oneOf(
          /(?:message|courriel|mail) .{0,40}(?:indesirable|comme (?:du |un )?spam|contient un virus)/,
          /detecte comme|(?:spam|virus) detecte|pourriel/,
        ),
        source: idiom,
      },
      {
        id: "language-es-spam",
        class: "content-spam",
        words: oneOf(
          /(?:mensaje|correo) .{0,40}(?:como spam|es spam|no deseado|contiene (?:un )?virus)/,
          /(?:virus|spam) detectado|correo basura/,
        ),
        source: idiom,
      },
      {
        id: "language-pt-spam",
        class: "content-spam",
        words: /mensagem .{0,40}(?:spam|virus|indesejad)|classificad[ao] como spam|mensagem indesejada/,
        source: idiom,
      },
      {
        id: "language-it-spam",
        class: "content-spam",
        words: oneOf(
          /(?:messaggio|mail) .{0,40}(?:come spam|considerat\w spam|indesiderat|contiene (?:un )?virus)/,
          /posta indesiderata/,
        ),
        source: idiom,
      },
      {
        id: "language-pl-spam",
        class: "content-spam",
        words: /(?:wiadomosc|tresc|przesyłka) .{0,40}(?:spam|wirus)|odrzucon\w{0,3} jako spam|uznan\w{1,3} za spam/,
        source: forpsi,
      },
      {
        id: "language-nl-spam",
        class: "content-spam",
        words: /(?:bericht|mail) .{0,40}(?:ongewenst|als spam|bevat (?:een )?virus)|ongewenste (?:e-?mail|reclame)/,
        source: carerix,
      },
      {
        id: "language-ru-spam",
        class: "content-spam",
        words: /(?:письм|сообщени).{0,40}(?:спам|вирус)|похоже на спам|содержит вирус/,
        source: idiom,
      },
      {
        id: "language-cs-spam",
        class: "content-spam",
        words: /nevyzadan|(?:zprava|e-?mail) .{0,40}(?:jako spam|obsahuje vir)/,
        source: idiom,
      },
      {
        id: "language-tr-spam",
        class: "content-spam",
        words: /(?:mesaj|ileti|e-?posta).{0,40}(?:spam|virus|istenmeyen)/,
        source: idiom,
      },
      {
        id: "language-zh-spam",
        class: "content-spam",
        words: /垃圾(?:邮件|郵件|信)|广告邮件|病毒|反垃圾|钓鱼邮件/,
        source: chinese,
      },
      { id: "language-ja-spam", class: "content-spam", words: /迷惑メール|スハム|ウ[イィ]ルス/, source: idiom },

      { id: "language-fr-greylist", class: "greylist", words: /liste grise/, source: idiom },
      {
        id: "language-es-greylist",
        class: "greylist",
        words: /listas? (?:gris|cinza)/,
        source: "https://sendpulse.com/br/knowledge-base/smtp/spam-related-delivery-errors",
      },
      { id: "language-ru-greylist", class: "greylist", words: /сер(?:ыи|ом|ого|ые) спис[ок]/, source: idiom },
      { id: "language-zh-greylist", class: "greylist", words: /灰名单|灰名單/, source: idiom },

      {
        id: "language-de-limit",
        class: "rate-limit",
        words: oneOf(
          /zu viele (?:verbindungen|nachrichten|e-?mails|mails|empfanger|empfaenger|anfragen)/,
          /(?:sende|versand|nachrichten)limit/,
        ),
        unless: /auf dem server|quota|speicher/,
        source: idiom,
      },
      {
        id: "language-fr-limit",
        class: "rate-limit",
        words: /trop de (?:connexions?|messages?|destinataires?|mails?|requetes)|limite d.envoi/,
        source: french,
      },
      {
        id: "language-es-limit",
        class: "rate-limit",
        words: oneOf(
          /demasiad[oa]s (?:conexiones|mensajes|correos|destinatarios|errores)/,
          /limite de (?:envio|mensajes|correos|conexiones)/,
        ),
        source: idiom,
      },
      {
        id: "language-pt-limit",
        class: "rate-limit",
        words: oneOf(
          /muitas (?:conexoes|mensagens)|muitos (?:destinatarios|erros|e-?mails)|e-?mails muito rapido/,
          /limite .{0,20}(?:de (?:envio|redirecionamento|mensagens|conexoes))/,
        ),
        source: gmailPt,
      },
      {
        id: "language-it-limit",
        class: "rate-limit",
        words: oneOf(
          /tropp[ie] (?:connessioni|messaggi|destinatari|errori|e-?mail|mail)/,
          /limite di (?:invio|messaggi|connessioni)/,
        ),
        source: idiom,
      },
      {
        id: "language-pl-limit",
        class: "rate-limit",
        words: oneOf(
          /zbyt (?:wiele|duzo) (?:polaczen|połaczen|wiadomosci|odbiorcow|błedow)/,
          /limit (?:wysyłki|wiadomosci|połaczen)/,
        ),
        source: forpsi,
      },
      {
        id: "language-nl-limit",
        class: "rate-limit",
        words: /te veel (?:verbindingen|berichten|ontvangers|e-?mails)/,
        source: idiom,
      },
      {
        id: "language-ru-limit",
        class: "rate-limit",
        words: oneOf(
          /слишком (?:много (?:соединении|писем|сообщении|получателеи|подключении)|часто)/,
          /превышен.{0,12}(?:лимит|количество|скорость|частот)/,
        ),
        unless: /квот|ящик|размер/,
        source: idiom,
      },
      {
        id: "language-cs-limit",
        class: "rate-limit",
        words: /prilis mnoho (?:spojeni|zprav|prijemcu|pripojeni)/,
        source:
          "https://www.mydreams.cz/cz/wiki/9924-seznam-chybovych-hlasek-z-nedodanych-emailu-a-jejich-vysvetleni.html",
      },
      {
        id: "language-tr-limit",
        class: "rate-limit",
        words: /cok fazla (?:baglant[iı]|ileti|mesaj|al[iı]c[iı]|e-?posta)/,
        source: idiom,
      },
      {
        id: "language-zh-limit",
        class: "rate-limit",
        words:
          /频率|頻率|(?:过于|太)频繁|(?:连接|并发|发信|收件人|邮件)(?:数|数量|量)?.{0,6}(?:过多|過多|过大|超过|超出)|(?:超过|超出)了?.{0,10}(?:次数|数量|上限)/,
        unless: /大小|容量|空间/,
        source: netease,
      },
      {
        id: "language-ja-limit",
        class: "rate-limit",
        words: /(?:接続|送信|通信).{0,8}(?:制限|上限|多すき)/,
        source: idiom,
      },

      {
        id: "language-de-sender",
        class: "sender-rejected",
        words:
          /absender\w* .{0,40}(?:existiert nicht|unbekannt|ungultig|ungueltig|abgelehnt|nicht (?:erlaubt|zugelassen|gestattet|berechtigt)|gesperrt|blockiert|schwarze)/,
        source: idiom,
      },
      {
        id: "language-fr-sender",
        class: "sender-rejected",
        words:
          /(?:emetteur|expediteur)\b.{0,30}(?:invalide|inconnu|refuse|rejete|inexistant|n.existe pas|non (?:autorise|valide)|bloque|liste noire)/,
        source: french,
      },
      {
        id: "language-es-sender",
        class: "sender-rejected",
        words:
          /remitente\b.{0,40}(?:bloquead|lista negra|rechazad|invalid|no (?:valid|existe|permitid|autorizad)|desconocid)/,
        source: idiom,
      },
      {
        id: "language-pt-sender",
        class: "sender-rejected",
        words:
          /remetente\b.{0,40}(?:bloquead|lista negra|rejeitad|recusad|invalid|inexistente|nao (?:existe|e valido|autorizad)|desconhecid)/,
        source: "https://sendpulse.com/br/knowledge-base/smtp/spam-related-delivery-errors",
      },
      {
        id: "language-it-sender",
        class: "sender-rejected",
        words:
          /mittente\b.{0,40}(?:bloccat|lista nera|rifiutat|inesistente|sconosciut|non (?:valid|autorizzat|esiste))/,
        source: idiom,
      },
      {
        id: "language-pl-sender",
        class: "sender-rejected",
        words: oneOf(
          /nadawc\w{1,3}\b.{0,40}(?:odrzucon|niepoprawn|nieprawidłow|niewłasciw|nie istnieje|nieznan|zablokowan)/,
          /(?:niewłasciwy|nieprawidłowy|niepoprawny|błedny) adres nadawcy/,
        ),
        source: "https://sare.pl/baza-wiedzy/2017/03/21/analiza-zwrotow/",
      },
      {
        id: "language-nl-sender",
        class: "sender-rejected",
        words: /afzender\w*\b.{0,40}(?:geweigerd|ongeldig|onbekend|bestaat niet|geblokkeerd)/,
        source: idiom,
      },
      {
        id: "language-ru-sender",
        class: "sender-rejected",
        words: /отправител.{0,40}(?:отклонен|не существует|не наиден|неверн|запрещен|заблокирован)/,
        source: idiom,
      },
      {
        id: "language-cs-sender",
        class: "sender-rejected",
        words: /odesilatel\w*\b.{0,40}(?:odmitnut|neexistuje|neplatn|neznam)/,
        source: idiom,
      },
      {
        id: "language-tr-sender",
        class: "sender-rejected",
        words: /gonderen.{0,40}(?:reddedil|gecersiz|engellen)/,
        source: idiom,
      },
      {
        id: "language-zh-sender",
        class: "sender-rejected",
        words:
          /(?:发件人|发信人|寄件人|寄件者).{0,20}(?:不存在|被拒|拒绝|无效|不合法|不正确|不匹配|伪造|黑名单)|拒绝发(?:件|信)人/,
        source: chinese,
      },
      {
        id: "language-ja-sender",
        class: "sender-rejected",
        words: /(?:送信者|差出人|送信元).{0,12}(?:拒否|不正|存在しま)/,
        source: idiom,
      },

      {
        id: "language-de-full",
        class: "mailbox-full",
        words: oneOf(
          /(?:postfach|mailbox|speicherplatz|speichervolumen|kontingent|quota)\w*\b.{0,40}(?:\bvoll\b|uberschritten|ueberschritten|erschopft|erschoepft)/,
          /mails auf dem server/,
        ),
        source: german,
      },
      {
        id: "language-fr-full",
        class: "mailbox-full",
        words: /(?:boite|messagerie|quota)\b.{0,40}(?:pleine?\b|saturee?|depasse)/,
        source: french,
      },
      {
        id: "language-es-full",
        class: "mailbox-full",
        words: oneOf(
          /(?:buzon|casilla|cuota|cuenta|almacenamiento)\b.{0,40}(?:llen[oa]|excedid|superad|excede|sin espacio)/,
          /\bmailbox lleno/,
        ),
        source: idiom,
      },
      {
        id: "language-pt-full",
        class: "mailbox-full",
        words: /(?:caixa|quota|cota|conta|espaco)\b.{0,40}(?:chei[ao]|excesso|lotad|excedid|esgotad|sem espaco)/,
        source: gmailPt,
      },
      {
        id: "language-it-full",
        class: "mailbox-full",
        words: /(?:casella|mailbox|quota|spazio)\b.{0,40}(?:pien[ao]|superat|esaurit)/,
        source: idiom,
      },
      {
        id: "language-pl-full",
        class: "mailbox-full",
        words: oneOf(
          /(?:skrzynka|konto|pojemnosc|powierzchnia)\b.{0,40}(?:przepełnion|pełna|przekroczon)/,
          /(?:przekroczona|przepełniona) .{0,12}(?:pojemnosc|powierzchnia|skrzynka)/,
        ),
        source: "https://support.konto.pl/kb/a2286/informacje-zwrotne-o-niedostarczeniu-wiadomosci.aspx",
      },
      {
        id: "language-nl-full",
        class: "mailbox-full",
        words: /(?:mailbox|postbus|postvak|quotum)\b.{0,40}(?:\bvol\b|overschreden)/,
        source: carerix,
      },
      {
        id: "language-ru-full",
        class: "mailbox-full",
        words: /(?:ящик|квота|лимит).{0,40}(?:переполнен|превышен|заполнен)|превышена квота|нет свободного места/,
        source: russian,
      },
      {
        id: "language-cs-full",
        class: "mailbox-full",
        words: /schranka\b.{0,40}(?:pln[ae]\b|preplnen)|kvota .{0,20}prekrocena|prekrocena kvota/,
        source: "https://support.grhosting.cz/kb/a290/email-se-vratil-odesilateli-jako-nedorucitelny.aspx",
      },
      {
        id: "language-tr-full",
        class: "mailbox-full",
        words: /(?:posta kutusu|kota).{0,40}(?:dolu|doldu|as[iı]l)/,
        source: turkish,
      },
      {
        id: "language-north-full",
        class: "mailbox-full",
        words: oneOf(
          /(?:brevladan?|postladan?|postkassen?|postboksen?|innboksen|kvoten?|utrymmet)\b.{0,40}(?:\bfulla?\b|\bfuld\b|\bfullt\b|overskredet|overskriden|overskridits)/,
          /(?:postilaatikko|levytila)\b.{0,30}(?:taynna|ylitt)/,
        ),
        source: idiom,
      },
      {
        id: "language-hu-full",
        class: "mailbox-full",
        words: /(?:postafiok|postalada|tarhely)\w{0,3}\b.{0,30}(?:megtelt|betelt|tele van|tullep)/,
        source: idiom,
      },
      {
        id: "language-ro-full",
        class: "mailbox-full",
        words: /(?:casuta|cutia|spatiul|cota)\b.{0,40}(?:plina|depasit)/,
        source: idiom,
      },
      {
        id: "language-uk-full",
        class: "mailbox-full",
        words: /(?:скринька|квот).{0,40}(?:переповнен|перевищен|заповнен)/,
        source: idiom,
      },
      {
        id: "language-zh-full",
        class: "mailbox-full",
        words: /(?:邮箱|信箱|容量|空间|配额).{0,10}(?:已满|已滿|满了|不足|不够|超限|超出|超过)/,
        source: idiom,
      },
      {
        id: "language-ja-full",
        class: "mailbox-full",
        words: /(?:メールホックス|容量|受信箱).{0,12}(?:超過|一杯|いっはい|満杯|満タン)/,
        source: japanese,
      },
      {
        id: "language-ko-full",
        class: "mailbox-full",
        words: jamo(/(?:메일함|편지함|메일박스|용량).{0,12}(?:초과|가득|부족)/),
        source: idiom,
      },

      {
        id: "language-de-disabled",
        class: "mailbox-disabled",
        unless: /unbekannt/,
        words:
          /(?:postfach|konto|mailbox|account|benutzer|empfanger|empfaenger)\w*\b.{0,30}(?:gesperrt|deaktiviert|inaktiv|stillgelegt|geschlossen|geloscht|geloescht|gekundigt|gekuendigt|nicht (?:mehr )?aktiv)/,
        source: idiom,
      },
      {
        id: "language-fr-disabled",
        class: "mailbox-disabled",
        unless: /inconnu/,
        words:
          /(?:compte|boite|destinataire)\b.{0,40}(?:desactive|suspendu|inacti[fv]|bloquee?\b|ferme|resilie|supprime|clotur)/,
        source: french,
      },
      {
        id: "language-es-disabled",
        class: "mailbox-disabled",
        words:
          /(?:cuenta|buzon|casilla|usuario)\b.{0,40}(?:expirad|suspendid|desactivad|deshabilitad|inactiv|bloquead|cancelad|eliminad|dad[oa] de baja)/,
        source: idiom,
      },
      {
        id: "language-pt-disabled",
        class: "mailbox-disabled",
        words:
          /(?:conta|caixa|usuario|utilizador)\b.{0,40}(?:bloquead|suspens|desativad|inativ|cancelad|desabilitad|encerrad|excluid)/,
        source: idiom,
      },
      {
        id: "language-it-disabled",
        class: "mailbox-disabled",
        words:
          /(?:casella|account|utente|indirizzo(?! mittente))\b.{0,40}(?:disabilitat|sospes|disattivat|bloccat|inattiv|scadut|chius)/,
        source: idiom,
      },
      {
        id: "language-pl-disabled",
        class: "mailbox-disabled",
        words: /(?:konto|skrzynka)\b.{0,40}(?:zablokowan|nieaktywn|zawieszon|wyłaczon|usuniet)|nieaktywna skrzynka/,
        source: polish,
      },
      {
        id: "language-nl-disabled",
        class: "mailbox-disabled",
        words:
          /(?:mailbox|postbus|postvak|account|gebruiker)\b.{0,40}(?:geblokkeerd|uitgeschakeld|gedeactiveerd|inactief|opgeheven)/,
        source: idiom,
      },
      {
        id: "language-ru-disabled",
        class: "mailbox-disabled",
        words:
          /(?:ящик|аккаунт|учетная запись|пользовател).{0,40}(?:заблокирован|отключен|удален|неактивен|приостановлен)/,
        source: idiom,
      },
      {
        id: "language-cs-disabled",
        class: "mailbox-disabled",
        words: /(?:schranka|ucet|uzivatel)\b.{0,40}(?:zablokovan|zrusen|neaktivn|deaktivovan)/,
        source: idiom,
      },
      {
        id: "language-tr-disabled",
        class: "mailbox-disabled",
        words: /(?:hesap|hesab[iı]|posta kutusu|kullan[iı]c[iı]).{0,40}(?:devre d[iı]s[iı]|ask[iı]ya|pasif|kapat[iı]l)/,
        source: idiom,
      },
      {
        id: "language-north-disabled",
        class: "mailbox-disabled",
        words:
          /(?:kontot?|kontoen|brevladan?|postkassen?|brukeren|brugeren|anvandaren)\b.{0,40}(?:avslutat|avstangd|sparrad|lukket|spærret|sperret|deaktiver|inaktiv)/,
        source: idiom,
      },
      {
        id: "language-zh-disabled",
        class: "mailbox-disabled",
        words: /(?:用户|帐号|账号|邮箱|信箱|使用者).{0,10}(?:被锁|锁定|停用|禁用|冻结|注销|暂停)/,
        source: chinese,
      },
      {
        id: "language-ja-disabled",
        class: "mailbox-disabled",
        words: /(?:アカウント|メールホックス|ユーサー).{0,12}(?:停止|無効|休止|解約)/,
        source: idiom,
      },
      {
        id: "language-ko-disabled",
        class: "mailbox-disabled",
        words: jamo(/휴면 ?계정|(?:계정|메일함|사용자).{0,12}(?:정지|중지|차단)/),
        source: idiom,
      },

      {
        id: "language-de-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:empfanger|empfaenger|benutzer|postfach|mailbox|adresse|konto)\w*\b.{0,40}(?:unbekannt|nicht bekannt|existiert nicht|nicht (?:gefunden|vorhanden)|ungultig|ungueltig)/,
          /adressat\w{0,2}\b.{0,40}(?:unbekannt|nicht bekannt|existiert nicht)|niemand\b.{0,20}\b(?:namen|adresse)/,
          /(?:adresse|benutzer|postfach|konto|empfanger|empfaenger)\b.{0,24}gibt es .{0,12}nicht/,
          /gibt es nicht.{0,12}(?:adresse|benutzer)/,
          /unbekannter (?:benutzer|empfanger|empfaenger)/,
          /kein(?:en?)? (?:solche[nrs]?|benutzer|postfach|empfanger|empfaenger)\b/,
        ),
        source: german,
      },
      {
        id: "language-fr-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:destinataire|utilisateur|adresse|boite|compte)\b.{0,40}(?:inconnu|invalide|inexistant|n.existe p(?:as|lus)|introuvable|erronee?|incorrecte?\b)/,
          /(?:pas d.|aucun |aucune )(?:utilisateur|destinataire|boite|compte|adresse)\b/,
        ),
        source: french,
      },
      {
        id: "language-es-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:usuario|destinatario|buzon|direccion|cuenta|casilla)\b.{0,40}(?:no existe|desconocid|inexistente|no encontrad|no (?:es )?valid|invalid|incorrect|errone|equivocad)/,
          /no (?:existe|hay) .{0,20}(?:usuario|persona|buzon|cuenta|destinatario|casilla)/,
          /no hay nadie con (?:ese|este)/,
        ),
        source: italian,
      },
      {
        id: "language-pt-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:usuario|utilizador|destinatario|conta|endereco|caixa)\b.{0,40}(?:inexistente|nao (?:existe|encontrad|cadastrad|valid)|desconhecid|invalid|incorret)/,
          /nenhum(?:a)? (?:usuario|utilizador|conta|caixa)\b/,
          /nao (?:existe|ha) .{0,20}(?:usuario|utilizador|conta|caixa)/,
        ),
        source: idiom,
      },
      {
        id: "language-it-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:utente|destinatario|casella|indirizzo|account)\b.{0,40}(?:sconosciut|inesistente|non (?:esiste|trovat|valid|presente|corrett)|errat[oa]\b)/,
          /nessun(?:a)? (?:utente|casella|destinatario|account)|non esiste nessun/,
        ),
        source: italian,
      },
      {
        id: "language-pl-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:uzytkownik|odbiorc\w{1,3}|konto|skrzynka|adres)\b.{0,40}(?:nie istnieje|nieznan|nie znaleziono)/,
          /(?:nie ma|brak) (?:takie(?:go|j) )?(?:konta|uzytkownika|adresu|odbiorcy|skrzynki)/,
          /(?:nieznany|nieprawidłowy|błedny) (?:uzytkownik|odbiorca|adres\b(?! nadawcy| ip))/,
        ),
        source: polish,
      },
      {
        id: "language-nl-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:gebruiker|ontvanger|geadresseerde|mailbox|postbus|(?:e-?mail)?adres)\b.{0,40}(?:onbekend|bestaat niet|niet gevonden|ongeldig)/,
          /onbekende (?:gebruiker|ontvanger)|geen (?:gebruiker|ontvanger|postbus|mailbox)\b/,
        ),
        source: idiom,
      },
      {
        id: "language-ru-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:пользовател|адресат|получател|ящик|адрес).{0,40}(?:не существует|не наиден|неизвест|неверн)/,
          /(?:нет такого|неизвестныи) (?:пользовател|получател|адрес|ящик)|такого (?:пользователя|адреса|ящика) нет/,
        ),
        source: russian,
      },
      {
        id: "language-cs-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:uzivatel|prijemce|adresat|schranka|adresa|ucet)\b.{0,40}(?:neexistuj|nenalezen|neznam)/,
          /(?:neznamy|neexistujuci|neexistujici) (?:uzivatel|pouzivatel|prijemce|prijemca|adresat)/,
          /(?:pouzivatel|prijemca)\b.{0,40}(?:neexistuj|nenajden|neznam)/,
        ),
        source: czech,
      },
      {
        id: "language-tr-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:kullan[iı]c[iı]|al[iı]c[iı]|posta kutusu|hesap|adres).{0,40}(?:bulunamad[iı]|yoktur|yok\b|mevcut degil|gecersiz|bilinmiyor)/,
          /bilinmeyen (?:kullan[iı]c[iı]|al[iı]c[iı])/,
        ),
        source: turkish,
      },
      {
        id: "language-north-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /\b(?:anvandaren?|mottagaren?|adressen?|brevladan?|brugeren?|modtageren?|brukeren?|mottakeren?|kontot|kontoen|postkassen?)\b.{0,40}(?:finns (?:inte|ej)|findes ikke|finnes ikke|eksisterer ikke|existerar inte|okand|ukendt|ukjent|ogiltig|ugyldig)/,
          /(?:okand|ukendt|ukjent|ogiltig|ugyldig) (?:anvandare|mottagare|modtager|bruger|bruker|mottaker|adress)/,
          /(?:tuntematon|virheellinen) (?:vastaanottaja|kayttaja|osoite)/,
          /(?:kayttajaa|vastaanottajaa|osoitetta) ei (?:ole|loyd)/,
        ),
        source: idiom,
      },
      {
        id: "language-hu-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:ismeretlen|ervenytelen|nem letezo) (?:felhasznalo|cimzett|cim\b|postafiok)/,
          /nincs ilyen (?:felhasznalo|cimzett|cim|postafiok)/,
          /(?:felhasznalo|cimzett|cim|postafiok)\b.{0,30}(?:nem letezik|nem talalhato|ismeretlen)/,
        ),
        source: idiom,
      },
      {
        id: "language-ro-unknown",
        class: "mailbox-unknown",
        words:
          /(?:utilizator(?:ul)?|destinatar(?:ul)?|adresa|contul|casuta)\b.{0,40}(?:necunoscut|inexistent|nu exista|invalid|nu a fost gasit)/,
        source: idiom,
      },
      {
        id: "language-hr-unknown",
        class: "mailbox-unknown",
        words:
          /(?:nepoznat|nepostojec)\w{0,2} (?:korisnik|primatelj|primalac|adresa|uporabnik)|(?:korisnik|primatelj|primalac|adresa)\b.{0,30}(?:ne postoji|nepoznat|nije pronaden)/,
        source: idiom,
      },
      {
        id: "language-uk-unknown",
        class: "mailbox-unknown",
        words: oneOf(
          /(?:користувач|одержувач|отримувач|адресат|скриньк|адрес).{0,40}(?:не існує|не існує|не знаидено|невідом)/,
          /(?:невідомии|немає такого) (?:користувач|одержувач|отримувач|адрес)/,
        ),
        source: idiom,
      },
      {
        id: "language-zh-unknown",
        class: "mailbox-unknown",
        words:
          /(?:收件人|收信人|用户|使用者|邮箱|信箱|帐号|账号|收件者).{0,10}(?:不存在|无效|不正确|未找到|找不到|無效)|地址(?:错误|有误|錯誤)|(?:没有|无此|查无|沒有)(?:该|此)?(?:用户|帐号|账号|使用者|收件人|邮箱)/,
        source: chinese,
      },
      {
        id: "language-ja-unknown",
        class: "mailbox-unknown",
        words: /(?:ユーサー|宛先|アトレス|受信者|アカウント).{0,16}(?:存在しま|見つかりま|不明|ありません)/,
        source: japanese,
      },
      {
        id: "language-ko-unknown",
        class: "mailbox-unknown",
        words: jamo(
          /존재하지 ?않는 ?(?:사용자|계정|수신자|메일|이메일|주소)|(?:사용자|수신자|계정|메일 ?주소).{0,12}(?:없습니다|찾을 수 없|존재하지 ?않)/,
        ),
        source: idiom,
      },

      {
        id: "language-de-relay",
        class: "relay-denied",
        words: oneOf(
          /(?:authentifizierung|anmeldung|smtp-auth) .{0,12}(?:erforderlich|notwendig|benotigt)/,
          /domain existiert nicht/,
          /weiterleitung .{0,12}(?:nicht erlaubt|verweigert|abgelehnt)/,
          /relay\w* .{0,12}(?:nicht (?:erlaubt|gestattet)|verweigert)|nicht zustandig|nicht zustaendig/,
        ),
        source: idiom,
      },
      {
        id: "language-fr-relay",
        class: "relay-denied",
        words:
          /relais? .{0,20}(?:refuse|interdit|non autorise)|relayage|authentification .{0,12}(?:requise|necessaire|obligatoire)|domaine inconnu/,
        source: idiom,
      },
      {
        id: "language-es-relay",
        class: "relay-denied",
        words: oneOf(
          /(?:relay|reenvio|retransmision|retransmissao) .{0,20}(?:(?:no|nao) (?:permitid|autorizad)|denegad|rechazad|negad)/,
          /(?:requiere|necesita|requerida) .{0,12}autenticacion/,
          /autenticacion .{0,12}(?:requerida|necesaria|obligatoria)/,
          /no existe el dominio|dominio (?:no existe|desconocid|inexistente)/,
        ),
        source: idiom,
      },
      {
        id: "language-pt-relay",
        class: "relay-denied",
        words:
          /relay .{0,20}(?:nao (?:permitid|autorizad)|negad)|(?:necessita|requer) .{0,8}autenticacao|autenticacao .{0,8}(?:necessaria|requerida|obrigatoria)/,
        source: "https://sendpulse.com/br/knowledge-base/smtp/spam-related-delivery-errors",
      },
      {
        id: "language-it-relay",
        class: "relay-denied",
        words: oneOf(
          /relay .{0,20}(?:non (?:consentit|autorizzat|permess)|negat|rifiutat)/,
          /(?:richiesta|necessaria) .{0,8}autenticazione/,
          /autenticazione .{0,8}(?:richiesta|necessaria|obbligatoria)/,
          /dominio (?:non (?:gestito|esiste|trovato)|sconosciut|inesistente)/,
        ),
        source: idiom,
      },
      {
        id: "language-pl-relay",
        class: "relay-denied",
        words: /relay .{0,20}(?:zabronion|niedozwolon|odrzucon)|wymagana autoryzacja/,
        source: forpsi,
      },
      {
        id: "language-ru-relay",
        class: "relay-denied",
        words:
          /(?:требуется|необходима) (?:smtp[- ])?(?:авторизация|аутентификация)|пересылка .{0,12}запрещен|домен .{0,20}не обслуживается/,
        source: idiom,
      },
      {
        id: "language-zh-relay",
        class: "relay-denied",
        words: /(?:拒绝|禁止|不允许)(?:开放)?(?:中继|转发)|必须通过验证/,
        source: chinese,
      },

      {
        id: "language-de-format",
        class: "message-format",
        words: oneOf(
          /(?:nachricht|mail|anhang|datei)\w*\b.{0,20}(?:zu gro(?:ß|ss)|zu lang)/,
          /(?:anhang|anhange|anhaenge|dateityp)\b.{0,20}(?:nicht erlaubt|verboten|blockiert)/,
        ),
        source: idiom,
      },
      {
        id: "language-fr-format",
        class: "message-format",
        words: oneOf(
          /(?:message|piece jointe|fichier|courriel)\b.{0,30}(?:trop (?:gros|volumineu|grand|lourd)|interdit|non autorise)/,
          /taille .{0,20}(?:depasse|maximale)/,
        ),
        source: idiom,
      },
      {
        id: "language-es-format",
        class: "message-format",
        words:
          /(?:mensaje|correo|adjunto|archivo)\b.{0,30}(?:demasiado grande|muy grande|no permitid|excede el tamano)/,
        source: idiom,
      },
      {
        id: "language-it-format",
        class: "message-format",
        words: oneOf(
          /(?:messaggio|allegato|mail)\b.{0,30}(?:troppo grande|non (?:consentit|ammess))/,
          /dimensione .{0,30}(?:superat|massima)/,
        ),
        source: idiom,
      },
      {
        id: "language-ru-format",
        class: "message-format",
        words: /(?:письмо|сообщение|вложение).{0,20}слишком бол|превышен.{0,20}размер|размер.{0,20}превыша/,
        source: idiom,
      },
      {
        id: "language-zh-format",
        class: "message-format",
        words: /(?:邮件|附件|郵件).{0,8}(?:过大|过长|太大|大小超|不允许|格式)/,
        source: chinese,
      },

      {
        id: "language-de-policy",
        class: "policy",
        words: /richtlinien?\b|zugriff verweigert|vom empf(?:a|ae)nger abgelehnt/,
        source: idiom,
      },
      {
        id: "language-fr-policy",
        class: "policy",
        words: /politique (?:de|interne)|(?:refuse|bloque) par le (?:filtre du )?destinataire|acces refuse/,
        source: idiom,
      },
      {
        id: "language-es-policy",
        class: "policy",
        words: /politicas? del?|acceso denegado|acesso negado|accesso negato/,
        source: idiom,
      },
      {
        id: "language-pl-policy",
        class: "policy",
        words: /naruszenie zasad|polityk\w{1,2} bezpieczenstwa/,
        source: forpsi,
      },
      { id: "language-ru-policy", class: "policy", words: /политик.{1,3}безопасности|доступ запрещен/, source: idiom },
      {
        id: "language-zh-policy",
        class: "policy",
        words: /(?:策略|安全规则|政策).{0,10}(?:拒绝|限制|阻止)|(?:收件人|对方).{0,4}拒收/,
        source: idiom,
      },
      { id: "language-ja-policy", class: "policy", words: /受信拒否|宛先から拒否/, source: japanese },

      {
        id: "language-de-system",
        class: "system-error",
        words: oneOf(
          /(?:interner|temporarer|temporaerer|vorubergehender|voruebergehender|lokaler|technischer) .{0,12}(?:fehler|storung|stoerung)/,
          /server .{0,12}(?:uberlastet|ueberlastet)/,
          /(?:derzeit|momentan|zur zeit) nicht (?:verfugbar|verfuegbar|erreichbar)/,
          /(?:spater|spaeter) (?:erneut|noch ?mal|noch einmal|wieder)/,
        ),
        source: idiom,
      },
      {
        id: "language-fr-system",
        class: "system-error",
        words: oneOf(
          /(?:service|serveur) .{0,20}(?:indisponible|surcharge|occupe)|erreur (?:interne|temporaire|systeme)/,
          /(?:re)?essayez? (?:de nouveau )?plus tard/,
        ),
        source: french,
      },
      {
        id: "language-es-system",
        class: "system-error",
        words: oneOf(
          /error (?:interno|temporal|del sistema)|servi(?:cio|dor) .{0,20}no disponible/,
          /(?:intente|intentelo|pruebe)\b.{0,20}mas tarde/,
        ),
        source: idiom,
      },
      {
        id: "language-pt-system",
        class: "system-error",
        words: oneOf(
          /erro (?:interno|temporario)|problema temporario|(?:servico|servidor) .{0,20}indisponivel/,
          /tente .{0,20}mais tarde/,
        ),
        source: "http://ix-one.com/domainhostingFAQ/article/MS_27771.html",
      },
      {
        id: "language-it-system",
        class: "system-error",
        words: oneOf(
          /errore (?:interno|temporaneo|di sistema)|(?:servizio|server) .{0,30}non disponibile/,
          /(?:riprova|riprovare|ritenta)\b.{0,20}piu tardi|server occupato/,
        ),
        source: "https://newsletterstudio.it/errori-smtp.php",
      },
      {
        id: "language-pl-system",
        class: "system-error",
        words:
          /bład (?:wewnetrzny|tymczasowy|serwera|systemu)|(?:serwer|usługa) .{0,20}niedostepn|sprobuj .{0,20}pozniej/,
        source: idiom,
      },
      {
        id: "language-nl-system",
        class: "system-error",
        words: oneOf(
          /(?:interne|tijdelijke) (?:fout|storing)|probeer .{0,20}later/,
          /(?:tijdelijk|momenteel) niet (?:beschikbaar|bereikbaar)/,
        ),
        source: "https://forum.lasso-concepten.nl/t/foutmeldingen-bij-e-mail/154",
      },
      {
        id: "language-ru-system",
        class: "system-error",
        words: oneOf(
          /(?:внутренняя|временная) ошибка|сервер .{0,12}(?:перегружен|недоступен)/,
          /(?:повторите|попробуите) .{0,20}позже/,
        ),
        source: idiom,
      },
      {
        id: "language-cs-system",
        class: "system-error",
        words: /(?:docasna|docasny|interni|lokalni) (?:lokalni )?(?:chyba|problem)|zkuste .{0,30}pozdeji/,
        source:
          "https://www.mydreams.cz/cz/wiki/9924-seznam-chybovych-hlasek-z-nedodanych-emailu-a-jejich-vysvetleni.html",
      },
      {
        id: "language-tr-system",
        class: "system-error",
        words: /(?:gecici|dahili) (?:bir )?hata|daha sonra tekrar dene/,
        source: turkish,
      },
      {
        id: "language-zh-system",
        class: "system-error",
        words: /系统(?:繁忙|错误|忙|故障)|服务器(?:繁忙|忙|错误|内部)|稍后(?:再试|重试)|暂时不可用|内部错误|队列忙/,
        source: chinese,
      },
      {
        id: "language-ja-system",
        class: "system-error",
        words: /一時的.{0,8}(?:エラー|障害|問題)|しはらく.{0,12}(?:お試し|再度|してから)|システムエラー/,
        source: "https://bloggerblog0.blogspot.com/2021/09/smtp.html",
      },
    ],
  },
];

/** The text is decomposed (words.ts), and with it each syllable of Korean: a pattern must be so too. */
function jamo(pattern: RegExp): RegExp {
  return new RegExp(pattern.source.normalize("NFKD"));
}
