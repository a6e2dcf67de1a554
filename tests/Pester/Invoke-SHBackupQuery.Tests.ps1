Describe 'Invoke-SHBackupQuery' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $backup = New-SHBackup ./app.db
    }
    AfterEach { Exit-Workspace }

    It 'emits one object a row' {
        $rows = $backup | Invoke-SHBackupQuery 'select id, name, kind from sources order by id'
        $rows[0].PSObject.Properties.Name | Should -Be 'id', 'name', 'kind'
        $rows[0].id | Should -BeOfType ([long])
        ($backup | Invoke-SHBackupQuery 'select count(*) n from signals').n | Should -Be 900
    }

    It 'asks the newest backup without a pipeline' {
        (Invoke-SHBackupQuery 'select count(*) n from signals' -Database app.db -WithBackup).BackupId | Should -Be $backup.Id
    }

    It 'takes values as parameters' {
        (Invoke-SHBackupQuery 'select :id + ? n' -Parameter @{ id = 6; 2 = 1 }).n | Should -Be 7
    }

    It 'ends at once when nobody wants more' {
        $endless = 'with recursive n(i) as (values (1) union all select i + 1 from n) select i from n'
        (Invoke-SHBackupQuery $endless | Select-Object -First 2).i | Should -Be 1, 2
    }

    It 'goes into a table, a CSV and JSON' {
        Invoke-SHBackupQuery 'select id, name from sources where id = 1' | ConvertTo-Json -Compress | Should -Match '^\{"id":1,"name":".+"\}$'
        (Invoke-SHBackupQuery 'select id from sources where id = 1' | ConvertTo-Csv)[1] | Should -Be '"1"'
    }

    It 'only reads' {
        { Invoke-SHBackupQuery 'delete from signals' -ErrorAction Stop } | Should -Throw -ErrorId 'QueryRefused,*'
        { Invoke-SHBackupQuery "attach './x.db' as x" -ErrorAction Stop } | Should -Throw -ErrorId 'QueryRefused,*'
        './x.db' | Should -Not -Exist
    }
}
